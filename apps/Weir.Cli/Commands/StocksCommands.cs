using System.CommandLine;
using System.Runtime.CompilerServices;
using Weir.Cli.Csv;

namespace Weir.Cli.Commands;

/// <summary><c>weir stocks</c>.</summary>
internal static class StocksCommands
{
    public static Command Create(CommandOutput output) => new("stocks", "Watch live prices and replay old ones.") { Watch(output), Replay(output) };

    private static Command Watch(CommandOutput output)
    {
        var symbols = new Argument<string[]>("symbol") { Description = "Up to 100 symbols.", Arity = ArgumentArity.OneOrMore };
        var count = new Option<int>("--count") { Description = "End after so many prices; 0 is without end.", HelpName = "N" };
        count.Within(0);
        var command = new Command("watch", "Show prices as they change: a live table on a terminal, a line for each price elsewhere.") { symbols, count };
        command.Does(output, async (parsed, run) =>
        {
            var prices = Take(new PriceWatch(run.Channel).WatchAsync(parsed.GetRequiredValue(symbols), run.Reconnect, run.CancellationToken), parsed.GetValue(count));
            if (output.IsTerminal)
                await PriceTable.ShowAsync(output.Ansi, prices);
            else
                await output.WriteAllAsync(prices, WritePrice, run.CancellationToken);
            return ExitCode.Ok;
        });
        return command;

        void WritePrice(StockPrice price) => output.Write(
            json =>
            {
                json.WriteString("symbol", price.Symbol);
                json.WriteNumber("price", price.Price);
                json.WriteNumber("timestamp", price.Timestamp);
            },
            () => $"{Amounts.Instant(price.Timestamp)}  {CommandOutput.Clean(price.Symbol),-8} {Amounts.Price(price.Price),12}");
    }

    private static Command Replay(CommandOutput output)
    {
        var file = new Argument<string>("file") { Description = "The CSV file: columns symbol, date and price, as in \"MSFT,Jan 1 2000,39.81\" or with ISO dates." };
        var speed = new Option<double>("--speed")
        {
            Description = "Dates per second: all prices of one date are published together, the next date's 1/X seconds later, whatever lies between the two. 0 means as fast as possible. 0 to 100,000.",
            HelpName = "X",
            DefaultValueFactory = _ => 1,
        };
        speed.Within(0, ReplaySchedule.MaxSpeed);
        var command = new Command("replay", "Publish a price history in the order of its dates.") { file, speed };
        command.Does(output, async (parsed, run) =>
        {
            Usage.CheckReadable(parsed.GetRequiredValue(file));
            using var text = new StreamReader(parsed.GetRequiredValue(file));
            var schedule = new ReplaySchedule(PriceCsv.ReadAll(text), parsed.GetValue(speed), TimeProvider.System);
            var accepted = await ProgressView.RunAsync(
                output,
                parsed.GetRequiredValue(file),
                meter => $"{Amounts.Count((long)meter.Done)} of {Amounts.Count((long)meter.Total)} prices, {Amounts.Clock(meter.Left)} left",
                view => PublishAsync(run, schedule, view));
            output.Write(json => json.WriteNumber("published", accepted), () => $"published {Amounts.Count(accepted)} prices");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<long> PublishAsync(CommandRun run, ReplaySchedule schedule, ProgressView view)
    {
        await using var call = new StockService.Client(run.Channel).PublishPrices(cancellationToken: run.CancellationToken);
        var sent = 0;
        await foreach (var price in schedule.PlayAsync(run.CancellationToken))
        {
            await call.SendAsync(price, run.CancellationToken);
            view.Report(++sent, schedule.Count);
        }

        return (await call.CompleteAsync(run.CancellationToken)).Accepted;
    }

    private static async IAsyncEnumerable<StockPrice> Take(
        IAsyncEnumerable<StockPrice> prices, int count, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var seen = 0;
        await foreach (var price in prices.WithCancellation(cancellationToken))
        {
            yield return price;
            if (++seen == count)
                yield break;
        }
    }
}
