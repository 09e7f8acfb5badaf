FROM a AS $b
