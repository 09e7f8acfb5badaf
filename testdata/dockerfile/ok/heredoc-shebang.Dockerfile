FROM a
RUN <<script.py
#!/usr/bin/env python3
print("hi")
script.py
RUN <<plain
echo hi
#!/not/first
plain
RUN cat <<x
#!/bin/sh
x
