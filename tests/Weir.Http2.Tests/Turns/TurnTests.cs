using Weir.Http2.Tests.Engine;
using Weir.Http2.Tests.Wire;
using Weir.Http2.Turns;

namespace Weir.Http2.Tests.Turns;

/// <summary>Items that become ready on a thread: in order, on that thread, and never held up for long.</summary>
public sealed class TurnTests
{
    static readonly AsyncLocal<string?> Local = new();

    [Fact]
    public async Task Items_queued_within_a_turn_follow_on_the_same_thread_in_order()
    {
        List<string> order = [];
        List<int> threads = [];
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Item third = new(() => Note("third", order, threads, done.SetResult));
        Item second = new(() => Note("second", order, threads));
        Item first = new(() =>
        {
            second.Queue();
            third.Queue();
            Note("first", order, threads);
        });
        first.Queue(); // this thread is in no turn: the pool begins one
        await done.Task.Within("the third item");
        Assert.Equal(["first", "second", "third"], order);
        Assert.Single(threads.Distinct());
    }

    [Fact]
    public async Task An_item_that_blocks_holds_up_neither_what_waits_behind_it_nor_what_it_queues_later()
    {
        using var release = new ManualResetEventSlim();
        var behind = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var later = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var unblocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Item waits = new(behind.SetResult);
        Item fromOverdue = new(later.SetResult);
        Item blocks = new(() =>
        {
            waits.Queue();
            behind.Task.Wait(WirePeer.Patience); // what waits runs although this one does not return
            fromOverdue.Queue();
            unblocked.SetResult();
            release.Wait(WirePeer.Patience);
        });
        blocks.Queue();
        await behind.Task.Within("the item behind one that blocks");
        await unblocked.Task.Within("the one that blocks to go on");
        await later.Task.Within("an item that an overdue one queued");
        release.Set();
    }

    [Fact]
    public async Task What_an_item_leaves_on_the_thread_is_gone_for_the_next()
    {
        string? seen = "nothing was seen";
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Item second = new(() =>
        {
            seen = Local.Value ?? SynchronizationContext.Current?.ToString();
            done.SetResult();
        });
        Item first = new(() =>
        {
            second.Queue();
            Local.Value = "left over";
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        });
        first.Queue();
        await done.Task.Within("the second item");
        Assert.Null(seen);
    }

    [Fact]
    public async Task More_items_than_a_turn_takes_all_run()
    {
        const int Count = 1_000;
        var ran = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Item[] items = [.. Enumerable.Range(0, Count).Select(_ => new Item(() =>
        {
            if (Interlocked.Increment(ref ran) == Count)
                done.SetResult();
        }))];
        new Item(() => Array.ForEach(items, item => item.Queue())).Queue();
        await done.Task.Within("all items");
    }

    static void Note(string name, List<string> order, List<int> threads, Action? last = null)
    {
        order.Add(name);
        threads.Add(Environment.CurrentManagedThreadId);
        last?.Invoke();
    }

    sealed class Item(Action run) : TurnItem
    {
        protected override void Run() => run();
    }
}
