using System.Threading.Channels;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Stocks;

/// <summary>One watcher's view of its symbols. It holds which symbols have news, not the news: a slow reader gets the latest price of each, and memory
/// is bounded by the number of symbols. Any number of threads may mark; one reads.</summary>
internal sealed class PriceWatch(IReadOnlyList<StockLine> lines)
{
    private readonly Channel<StockLine> _news = Channel.CreateBounded<StockLine>(
        new BoundedChannelOptions(lines.Count) { SingleReader = true, SingleWriter = false });

    private readonly HashSet<StockLine> _marked = []; // what is in _news; owned by its own lock

    public IReadOnlyList<StockLine> Lines { get; } = lines;

    /// <summary>Says that a line has a new price. Never waits: a line is at most once in the channel, which has room for all lines.</summary>
    public void Mark(StockLine line)
    {
        lock (_marked)
        {
            if (_marked.Add(line))
                _news.Writer.TryWrite(line);
        }
    }

    /// <summary>The latest price of the symbol that has waited longest.</summary>
    public async ValueTask<SharedMessage<StockPrice>> ReadAsync(CancellationToken cancellationToken)
    {
        var line = await _news.Reader.ReadAsync(cancellationToken);
        lock (_marked)
            _marked.Remove(line); // before the price is read, so that a later price marks again
        return line.Latest!;
    }
}
