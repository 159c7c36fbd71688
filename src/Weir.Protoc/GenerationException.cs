namespace Weir.Protoc;

/// <summary>Something in the request cannot be generated. The message names the file and the element; protoc prints it.</summary>
internal sealed class GenerationException(string message) : Exception(message);
