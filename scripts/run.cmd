@echo off
rem bot4 runs in WSL2 on Windows. This leads there, with its folder and its words; Ctrl+C and the exit code pass.
setlocal
for %%I in (wsl.exe) do if "%%~$PATH:I"=="" goto missing
rem What bot4 then tells a person to type is this file.
set "BOT4_RUN_CMD=%~f0"
set "WSLENV=BOT4_RUN_CMD:%WSLENV%"
wsl.exe --cd "%~dp0.." --exec /bin/sh scripts/run %*
exit /b %ERRORLEVEL%

:missing
echo bot4: there is no WSL2 here. Run wsl --install as administrator, restart Windows, then run this again. 1>&2
exit /b 4
