using Spectre.Console;
using Spectre.Console.Rendering;

namespace Weir.Cli.Output;

/// <summary>Shows how far one long piece of work is: a bar on a terminal, now and then a line on stderr elsewhere, nothing with --json.</summary>
internal sealed class ProgressView
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);

    /// <summary>A terminal that is narrower has the numbers only: title and bar would leave them no room.</summary>
    private const int BarColumns = 100;

    private readonly CommandOutput _output;
    private readonly string _title;
    private readonly Func<Meter, string> _text;
    private readonly Meter _meter = new(TimeProvider.System);
    private readonly Lock _lock = new(); // the bar is drawn by a timer beside the work
    private TimeSpan _lastLine;
    private ProgressTask? _task;

    private ProgressView(CommandOutput output, string title, Func<Meter, string> text)
    {
        _output = output;
        _title = CommandOutput.Clean(title);
        _text = text;
    }

    /// <summary>The time since the work began.</summary>
    public TimeSpan Elapsed => _meter.Elapsed;

    /// <summary>Runs work that reports to the view.</summary>
    /// <param name="output">Where to show it.</param>
    /// <param name="title">What it is about.</param>
    /// <param name="text">How far and how fast, in the unit of the work.</param>
    /// <param name="work">The work.</param>
    public static async Task<T> RunAsync<T>(CommandOutput output, string title, Func<Meter, string> text, Func<ProgressView, Task<T>> work)
    {
        var view = new ProgressView(output, title, text);
        if (!output.IsTerminal)
            return await work(view);
        return await output.Ansi.Progress()
            .AutoClear(true)
            .Columns(output.Ansi.Profile.Width < BarColumns
                ? [new PercentageColumn(), new TextColumn(view)]
                : [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TextColumn(view)])
            .StartAsync(context =>
            {
                view._task = context.AddTask(Markup.Escape(view._title));
                return work(view);
            });
    }

    public void Report(double done, double total)
    {
        lock (_lock)
            _meter.Report(done, total);
        if (_task is { } task)
            task.Value = _meter.Fraction * task.MaxValue;
        else if (!_output.Json && _meter.Elapsed - _lastLine >= LineEvery)
        {
            _lastLine = _meter.Elapsed;
            _output.Note($"{_title}: {_meter.Fraction:P0}, {Text()}");
        }
    }

    private string Text()
    {
        lock (_lock)
            return _text(_meter);
    }

    private sealed class TextColumn(ProgressView view) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(view.Text()) { Overflow = Overflow.Ellipsis };
    }
}
