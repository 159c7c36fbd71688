using Weir.Rpc;

namespace Weir.Bench.Scale;

/// <summary>What this process holds in memory.</summary>
internal sealed class MemoryCalls : MemoryService.Server
{
    public override ValueTask<Memory> Measure(MeasureRequest request, ServerCall call) => ValueTask.FromResult(Read(request.Collect));

    public static Memory Read(bool collect) => new() { HeapBytes = GC.GetTotalMemory(collect), ResidentBytes = Environment.WorkingSet };
}
