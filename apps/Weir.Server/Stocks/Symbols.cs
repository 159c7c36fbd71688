using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Stocks;

/// <summary>What may be asked for.</summary>
internal static class Symbols
{
    public const int MaxLength = 32, MaxWatched = 100;

    /// <summary>The symbols of a request, each once.</summary>
    /// <exception cref="RpcException">InvalidArgument: none, too many, or one that no source can have.</exception>
    public static string[] Of(StockRequest request)
    {
        var asked = request.Symbols.Count + (request.Symbol.Length > 0 || request.Symbols.Count == 0 ? 1 : 0);
        if (asked > MaxWatched)
            throw new RpcException(StatusCode.InvalidArgument, $"{asked} symbols were asked for; at most {MaxWatched} are allowed.");
        var symbols = request.Symbols.Prepend(request.Symbol).Skip(asked == request.Symbols.Count ? 1 : 0).Distinct(StringComparer.Ordinal).ToArray();
        foreach (var symbol in symbols)
        {
            if (FindFault(symbol) is { } fault)
                throw new RpcException(StatusCode.InvalidArgument, fault);
        }

        return symbols;
    }

    /// <summary>Null for a symbol that a source can have, else what is wrong with it.</summary>
    public static string? FindFault(string symbol)
    {
        if (symbol.Length == 0)
            return "The symbol is empty.";
        if (symbol.Length > MaxLength)
            return $"The symbol \"{symbol[..MaxLength]}...\" has {symbol.Length} characters; at most {MaxLength} are allowed.";
        return symbol.All(letter => letter is > ' ' and < '\x7F') ? null : $"The symbol \"{Printable(symbol)}\" has characters other than printable ASCII.";
    }

    private static string Printable(string symbol) => string.Concat(symbol.Select(letter => letter is >= ' ' and < '\x7F' ? letter : '?'));
}
