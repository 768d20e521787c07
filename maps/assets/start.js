// A whole page is ready as it stands.
"use strict";
const whenReady = (run) => run();
