using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Stocks;

/// <summary>All symbols that are watched or published. A symbol that nobody publishes walks at random while somebody watches it and is forgotten
/// after that; one that was published keeps its latest price. Safe for use by any number of threads.</summary>
internal sealed class StockBoard : IDisposable
{
    private readonly StocksOptions _options;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new(); // owns everything below
    private readonly Dictionary<string, StockLine> _lines = new(StringComparer.Ordinal);
    private readonly HashSet<StockLine> _walking = [];
    private int _published;

    public StockBoard(StocksOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _timer = time.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Symbols that walk now: for tests and diagnostics.</summary>
    public int WalkingCount
    {
        get
        {
            lock (_lock)
                return _walking.Count;
        }
    }

    /// <summary>Symbols that are kept now: for tests and diagnostics.</summary>
    public int LineCount
    {
        get
        {
            lock (_lock)
                return _lines.Count;
        }
    }

    /// <summary>Starts to watch symbols: each gives its latest price at once. To be ended with <see cref="Unwatch"/>.</summary>
    public PriceWatch Watch(IReadOnlyList<string> symbols)
    {
        lock (_lock)
        {
            var watch = new PriceWatch([.. symbols.Select(GetLine)]);
            foreach (var line in watch.Lines)
            {
                line.Watches.Add(watch);
                if (line.Walk is not null)
                    StartWalking(line);
                watch.Mark(line);
            }

            return watch;
        }
    }

    public void Unwatch(PriceWatch watch)
    {
        lock (_lock)
        {
            foreach (var line in watch.Lines)
            {
                line.Watches.Remove(watch);
                if (line.Watches.Count > 0 || line.Walk is null)
                    continue;
                StopWalking(line);
                _lines.Remove(line.Symbol);
            }
        }
    }

    /// <summary>Makes a price its symbol's latest and gives it to the watchers. The message is kept: do not change it afterwards.</summary>
    /// <exception cref="RpcException">ResourceExhausted: as many symbols as are allowed have published prices already.</exception>
    public void Publish(StockPrice price)
    {
        lock (_lock)
        {
            if (!_lines.TryGetValue(price.Symbol, out var line) || line.Walk is not null)
                line = StartPublishing(price.Symbol);
            line.Set(price);
        }
    }

    public void Dispose() => _timer.Dispose();

    private StockLine StartPublishing(string symbol)
    {
        if (_published == _options.MaxPublishedSymbols)
            throw new RpcException(StatusCode.ResourceExhausted, $"{_published} symbols have published prices, which is the limit; \"{symbol}\" would be one more.");
        _published++;
        if (!_lines.TryGetValue(symbol, out var line))
            _lines.Add(symbol, line = new StockLine(symbol));
        StopWalking(line);
        line.Walk = null;
        return line;
    }

    private StockLine GetLine(string symbol)
    {
        if (_lines.TryGetValue(symbol, out var line))
            return line;
        line = new StockLine(symbol) { Walk = new RandomWalk(symbol, _options.Seed) };
        line.Set(PriceOf(line));
        _lines.Add(symbol, line);
        return line;
    }

    private void StartWalking(StockLine line)
    {
        if (_walking.Add(line) && _walking.Count == 1)
            _timer.Change(_options.TickInterval, _options.TickInterval);
    }

    private void StopWalking(StockLine line)
    {
        if (_walking.Remove(line) && _walking.Count == 0)
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private void Tick()
    {
        lock (_lock)
        {
            foreach (var line in _walking)
            {
                line.Walk!.Step();
                line.Set(PriceOf(line));
            }
        }
    }

    private StockPrice PriceOf(StockLine line) =>
        new() { Symbol = line.Symbol, Price = line.Walk!.Price, Timestamp = _time.GetUtcNow().ToUnixTimeSeconds() };
}
