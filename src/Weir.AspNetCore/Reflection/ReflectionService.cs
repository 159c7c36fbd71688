using Grpc.Reflection.V1;
using Weir.Rpc;

namespace Weir.AspNetCore.Reflection;

/// <summary>Answers clients of <c>grpc.reflection.v1.ServerReflection</c>.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/server-reflection.md</remarks>
internal sealed class ReflectionService(ReflectionAnswers answers) : ServerReflection.Server
{
    public override IAsyncEnumerable<ServerReflectionResponse> ServerReflectionInfo(IAsyncEnumerable<ServerReflectionRequest> requests, ServerCall call) =>
        answers.AnswerAsync(requests);
}

/// <summary>The same for <c>grpc.reflection.v1alpha.ServerReflection</c>, which older clients ask for. Its messages are those of v1 on the wire.</summary>
internal sealed class AlphaReflectionService(ReflectionAnswers answers) : IRpcService
{
    private static readonly Google.Protobuf.Reflection.ServiceDescriptor Descriptor = Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor.Services[0];

    private static readonly Method<ServerReflectionRequest, ServerReflectionResponse> Method = new(
        MethodKind.DuplexStreaming,
        Descriptor.FullName,
        ServerReflection.Methods.ServerReflectionInfo.Name,
        ServerReflection.Methods.ServerReflectionInfo.Requests,
        ServerReflection.Methods.ServerReflectionInfo.Responses);

    static void IRpcService.Bind(ServiceBinder binder)
    {
        binder.Describe(Descriptor);
        binder.DuplexStreaming<AlphaReflectionService, ServerReflectionRequest, ServerReflectionResponse>(
            Method,
            static (service, requests, _) => service.Answers.AnswerAsync(requests));
    }

    private ReflectionAnswers Answers { get; } = answers;
}
