using System.CommandLine;
using System.CommandLine.Parsing;

namespace Weir.Cli.Commands;

/// <summary>Checks of arguments, so that a wrong one is a usage error.</summary>
internal static class Usage
{
    public static void NotNegative(OptionResult result, Option<int> option)
    {
        if (result.Tokens is [var token] && int.TryParse(token.Value, out var value) && value < 0)
            result.AddError($"{option.Name} is {value}; it must be 0 or more.");
    }
}
