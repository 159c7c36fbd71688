using Google.Protobuf.Reflection;
using Grpc.Reflection.V1;
using Weir.Rpc;
using Asked = Grpc.Reflection.V1.ServerReflectionRequest.MessageRequestOneofCase;

namespace Weir.AspNetCore.Reflection;

/// <summary>Answers the requests of reflection, one for one. Safe for use by any number of threads.</summary>
internal sealed class ReflectionAnswers(MappedServices services)
{
    // Made by the first call: by then every service is mapped.
    private readonly Lazy<DescriptorIndex> _index = new(() => new DescriptorIndex(services.Descriptors));

    /// <summary>Answers one stream of requests. What is not found is an answer with NotFound and the stream goes on.</summary>
    /// <exception cref="RpcException">InvalidArgument: a request asks for nothing that is known here.</exception>
    public async IAsyncEnumerable<ServerReflectionResponse> AnswerAsync(IAsyncEnumerable<ServerReflectionRequest> requests)
    {
        var sent = new HashSet<string>(StringComparer.Ordinal); // the names of the files that this stream's client has
        await foreach (var request in requests.ConfigureAwait(false))
        {
            var response = Answer(request, sent);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            yield return response;
        }
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request, HashSet<string> sent)
    {
        var index = _index.Value;
        switch (request.MessageRequestCase)
        {
            case Asked.ListServices:
                return new() { ListServicesResponse = new() { Service = { services.Names.Select(name => new ServiceResponse { Name = name }) } } };
            case Asked.FileByFilename:
                return File(index.FindFile(request.FileByFilename), sent, $"file \"{request.FileByFilename}\"");
            case Asked.FileContainingSymbol:
                return File(index.FindSymbol(request.FileContainingSymbol), sent, $"symbol \"{request.FileContainingSymbol}\"");
            case Asked.FileContainingExtension:
                var (type, number) = (request.FileContainingExtension.ContainingType, request.FileContainingExtension.ExtensionNumber);
                return File(index.FindExtension(type, number), sent, $"extension {number} of message \"{type}\"");
            case Asked.AllExtensionNumbersOfType:
                var message = request.AllExtensionNumbersOfType;
                return index.FindExtensionNumbers(message) is { } numbers
                    ? new() { AllExtensionNumbersResponse = new() { BaseTypeName = message, ExtensionNumber = { numbers } } }
                    : NotFound($"message \"{message}\"");
            default:
                throw new RpcException(StatusCode.InvalidArgument, "a reflection request must ask for a file, a symbol, an extension, extension numbers or the services");
        }
    }

    /// <summary>The file and all that it imports, less what this stream's client has already; what it asked for comes in any case.</summary>
    private static ServerReflectionResponse File(FileDescriptor? file, HashSet<string> sent, string asked)
    {
        if (file is null)
            return NotFound(asked);
        var response = new FileDescriptorResponse { FileDescriptorProto = { file.SerializedData } };
        sent.Add(file.Name);
        AddImports(file);
        return new() { FileDescriptorResponse = response };

        void AddImports(FileDescriptor importing)
        {
            foreach (var imported in importing.Dependencies.Where(imported => sent.Add(imported.Name)))
            {
                response.FileDescriptorProto.Add(imported.SerializedData);
                AddImports(imported);
            }
        }
    }

    private static ServerReflectionResponse NotFound(string asked) =>
        new() { ErrorResponse = new() { ErrorCode = (int)StatusCode.NotFound, ErrorMessage = $"{asked} is not found here" } };
}
