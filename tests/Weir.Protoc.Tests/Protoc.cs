using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using Google.Protobuf.Reflection;

namespace Weir.Protoc.Tests;

/// <summary>Runs the protoc of Grpc.Tools, in a folder of its own that goes when it is disposed of.</summary>
internal sealed class Protoc : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weir-protoc-");

    /// <summary>The folder: .proto files lie in it, and what protoc writes lands in it.</summary>
    public string Folder => _folder.FullName;

    /// <summary>A path that the build has written into this assembly: Protoc, ProtocImports, Plugin or Golden.</summary>
    public static string Tool(string name) =>
        typeof(Protoc).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == name).Value!;

    /// <summary>What protoc would send to a plugin for these files, the first of which are to be generated.</summary>
    public static CodeGeneratorRequest Request(int generate, params (string Name, string Text)[] files)
    {
        using var protoc = new Protoc();
        foreach (var (name, text) in files)
            protoc.Add(name, text);
        return protoc.Describe(files.Take(generate).Select(f => f.Name));
    }

    /// <summary>Writes a .proto file.</summary>
    public void Add(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>What protoc would send to a plugin for these of the files.</summary>
    public CodeGeneratorRequest Describe(IEnumerable<string> names)
    {
        string[] generate = [.. names];
        var (code, error) = Run(["--include_imports", "--include_source_info", "--descriptor_set_out=set.bin", .. generate]);
        Assert.True(code == 0, error);
        var set = FileDescriptorSet.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(Folder, "set.bin")));
        return new CodeGeneratorRequest { FileToGenerate = { generate }, ProtoFile = { set.File } };
    }

    /// <summary>Runs protoc here and returns its exit code and what it wrote to stderr.</summary>
    public (int Code, string Error) Run(params IEnumerable<string> arguments) =>
        Run(Tool("Protoc"), ["-I.", $"-I{Tool("ProtocImports")}", .. arguments], "");

    /// <summary>Runs a program here with something on its stdin.</summary>
    public (int Code, string Error) Run(string program, IEnumerable<string> arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new Win32Exception($"{program} did not start.");
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {Patience}.");
        }

        Task.WaitAll(output, error);
        return (process.ExitCode, error.Result);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
