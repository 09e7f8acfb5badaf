FROM --platform=a --platform=b c
