using System.Diagnostics;
using Weir.Rpc;

namespace Weir.Bench.Scale;

/// <summary>What this process holds in memory. Linux.</summary>
internal sealed class MemoryCalls : MemoryService.Server
{
    public override ValueTask<Memory> Measure(MeasureRequest request, ServerCall call) => ValueTask.FromResult(Read(request));

    public static Memory Read(MeasureRequest request)
    {
        var heap = GC.GetTotalMemory(request.Collect);
        using var process = Process.GetCurrentProcess();
        var memory = new Memory { HeapBytes = heap, ResidentBytes = process.WorkingSet64, PeakBytes = process.PeakWorkingSet64 };
        if (request.ForgetPeak)
            File.WriteAllText("/proc/self/clear_refs", "5"); // proc(5): the peak becomes what is resident now
        return memory;
    }
}
