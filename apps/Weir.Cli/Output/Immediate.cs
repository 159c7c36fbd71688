namespace Weir.Cli.Output;

/// <summary>Progress that is told at once, on the reporter's thread: <see cref="Progress{T}"/> would queue each report on the thread pool.</summary>
internal sealed class Immediate<T>(Action<T> handler) : IProgress<T>
{
    public void Report(T value) => handler(value);
}
