@echo off
if not defined DOTNET_HOST_PATH set DOTNET_HOST_PATH=dotnet
"%DOTNET_HOST_PATH%" "%~dp0Weir.Protoc.dll" %*
