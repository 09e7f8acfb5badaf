# escape=`

FROM mcr.microsoft.com/windows/nanoserver:ltsc2022 `
  AS base
COPY a.txt c:\dir\
RUN dir c:\ `

  # note
  /b
ENV A=a`"b B="x y" `
    C=c\d
