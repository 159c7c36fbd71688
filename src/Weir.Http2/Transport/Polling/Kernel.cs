using System.Runtime.InteropServices;

namespace Weir.Http2.Transport.Polling;

/// <summary>The calls of Linux that the poller makes. Each returns -1 with the error number for <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static partial class Kernel
{
    public const int Interrupted = 4;       // EINTR
    public const int WouldBlock = 11;       // EAGAIN
    public const int InProgress = 115;      // EINPROGRESS

    public const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC
    public const int Add = 1;               // EPOLL_CTL_ADD
    public const int Remove = 2;            // EPOLL_CTL_DEL

    public const uint Readable = 0x1;       // EPOLLIN
    public const uint Writable = 0x4;       // EPOLLOUT
    public const uint Failed = 0x8 | 0x10;  // EPOLLERR, EPOLLHUP
    public const uint PeerEnded = 0x2000;   // EPOLLRDHUP
    public const uint OnChange = 1u << 31;  // EPOLLET

    public const int DontWait = 0x40;       // MSG_DONTWAIT
    public const int NoSignal = 0x4000;     // MSG_NOSIGNAL

    // struct epoll_event is packed on x86 and aligned elsewhere.
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    public static int EventBytes { get; } = IsPacked ? 12 : 16;

    private static int DataOffset => EventBytes - 8;

    public static void WriteEvent(Span<byte> destination, uint flags, int id)
    {
        MemoryMarshal.Write(destination, flags);
        MemoryMarshal.Write(destination[DataOffset..], (long)id);
    }

    public static (uint Flags, int Id) ReadEvent(ReadOnlySpan<byte> source) =>
        (MemoryMarshal.Read<uint>(source), (int)MemoryMarshal.Read<long>(source[DataOffset..]));

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int poller, int operation, SafeHandle socket, Span<byte> change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int poller, Span<byte> events, int mostEvents, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(SafeHandle socket, Span<byte> buffer, nint bytes, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(SafeHandle socket, ReadOnlySpan<byte> octets, nint bytes, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(SafeHandle socket, ReadOnlySpan<byte> address, int addressBytes);

    /// <summary>The last call's error as what a pipe throws.</summary>
    public static IOException LastError() => new(Marshal.GetLastPInvokeErrorMessage());
}
