using System.CommandLine;
using System.Runtime.InteropServices;

namespace Weir.Cli.Commands;

/// <summary><c>weir version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create(CommandOutput output)
    {
        var command = new Command("version", "Show the version.");
        command.SetAction(_ =>
        {
            var version = typeof(VersionCommand).Assembly.GetName().Version!.ToString(3);
            output.Write(
                json =>
                {
                    json.WriteString("version", version);
                    json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
                },
                () => $"weir {version} ({RuntimeInformation.FrameworkDescription})");
        });
        return command;
    }
}
