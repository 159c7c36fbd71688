namespace Weir.Client;

/// <summary>How far a transfer is.</summary>
/// <param name="Bytes">Bytes of the file that are through, those of earlier attempts included.</param>
/// <param name="TotalBytes">Bytes of the whole file.</param>
/// <param name="ResumedAtBytes">Where this run began: what earlier runs had done.</param>
public readonly record struct TransferProgress(long Bytes, long TotalBytes, long ResumedAtBytes);
