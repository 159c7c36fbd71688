using System.CommandLine;

namespace Weir.Cli.Commands;

/// <summary>Stands for <c>weir serve</c> in the help; Program starts the server before any command line is built.</summary>
internal static class ServeCommand
{
    public static Command Create() => new("serve", "Start the server; 'weir serve --help' shows its options.")
    {
        new Argument<string[]>("args") { Description = "Passed on to the server.", Arity = ArgumentArity.ZeroOrMore },
    };
}
