using Google.Protobuf;
using Weir.Protoc;

if (args.Length > 0 || !Console.IsInputRedirected)
{
    Console.Error.WriteLine(
        "protoc-gen-weir is a plugin of protoc and takes no arguments: protoc --plugin=protoc-gen-weir=PATH --weir_out=DIR FILE.proto");
    return 2;
}

CodeGeneratorRequest request;
try
{
    using var input = Console.OpenStandardInput();
    request = CodeGeneratorRequest.Parser.ParseFrom(input);
}
catch (InvalidProtocolBufferException e)
{
    Console.Error.WriteLine($"protoc-gen-weir: stdin is not a CodeGeneratorRequest: {e.Message}");
    return 1;
}

using var output = Console.OpenStandardOutput();
Generator.Run(request).WriteTo(output);
return 0;
