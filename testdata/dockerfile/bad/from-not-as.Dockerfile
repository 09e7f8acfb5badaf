FROM a is b
