using Google.Protobuf.Reflection;
using Weir.V1;

namespace Weir.Server.Tests.Classic;

/// <summary>The classic contract is served with weir.v1's messages; so each classic field must be there with its number, name and type.</summary>
public sealed class ClassicContractTests
{
    private static readonly FileDescriptor Classic = Weir.Classic.ClassicReflection.Descriptor;
    private static readonly FileDescriptor Served = Weir.Server.Classic.ClassicServicesReflection.Descriptor;

    private static readonly Dictionary<string, MessageDescriptor> Messages = new[] { UsersReflection.Descriptor, StocksReflection.Descriptor, FilesReflection.Descriptor, ChatReflection.Descriptor }
        .SelectMany(file => file.MessageTypes).ToDictionary(message => message.Name);

    [Fact]
    public void Every_classic_field_is_in_the_message_that_is_served()
    {
        foreach (var message in Classic.MessageTypes)
        {
            foreach (var field in message.Fields.InDeclarationOrder())
            {
                var served = Messages[message.Name].FindFieldByNumber(field.FieldNumber);
                Assert.NotNull(served);
                Assert.Equal((field.FullName, field.FieldType, field.IsRepeated), ($"{message.Name}.{served.Name}", served.FieldType, served.IsRepeated));
            }
        }
    }

    [Fact]
    public void Every_classic_method_is_served_under_its_path_with_its_shape()
    {
        static IEnumerable<string> Shapes(FileDescriptor file) =>
            from service in file.Services
            from method in service.Methods
            select $"/{service.FullName}/{method.Name} ({method.IsClientStreaming} {method.InputType.Name}) ({method.IsServerStreaming} {method.OutputType.Name})";

        Assert.NotEmpty(Shapes(Classic));
        Assert.Equal(Shapes(Classic), Shapes(Served));
    }
}
