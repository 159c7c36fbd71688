namespace Weir.Interop.Client;

/// <summary>The peer did something else than a case asks for.</summary>
internal sealed class CaseFailedException(string message) : Exception(message);

/// <summary>A case needs what Weir does not have; nothing was run.</summary>
internal sealed class NotSupportedCaseException(string message) : Exception(message);
