# What a router need not carry: indentation, whole-line comments, comments after code.
s/^[[:space:]]*//
/^#[^!]/d
/^$/d
s/ # .*//
