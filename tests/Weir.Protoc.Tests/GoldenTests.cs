namespace Weir.Protoc.Tests;

/// <summary>
/// What is generated from the .proto files in Golden, letter by letter; the build of this project shows that it compiles.
/// To write the expected files anew: <c>WEIR_UPDATE_GOLDEN=1 dotnet test tests/Weir.Protoc.Tests</c>, then read the difference.
/// </summary>
public sealed class GoldenTests
{
    private static readonly string Folder = Protoc.Tool("Golden");

    public static TheoryData<string> Protos =>
        [.. Directory.EnumerateFiles(Folder, "*.proto", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f).Replace('\\', '/')).Order()];

    [Theory]
    [MemberData(nameof(Protos))]
    public void The_generated_file_is_the_golden_one(string proto)
    {
        using var protoc = new Protoc();
        foreach (string name in Protos.Select(row => row.Data))
            protoc.Add(name, File.ReadAllText(Path.Combine(Folder, name)));
        var request = protoc.Describe([proto]);
        request.Parameter = proto == "internal.proto" ? "internal_access" : "";

        var response = Generator.Run(request);

        Assert.False(response.HasError, response.Error);
        var golden = Path.Combine(Folder, Path.ChangeExtension(proto, ".cs"));
        if (Environment.GetEnvironmentVariable("WEIR_UPDATE_GOLDEN") == "1")
            Update(golden, response);
        else if (File.Exists(golden))
            Assert.Equal(File.ReadAllText(golden), Assert.Single(response.File).Content, ignoreLineEndingDifferences: true);
        else
            Assert.Empty(response.File);
    }

    private static void Update(string golden, CodeGeneratorResponse response)
    {
        File.Delete(golden);
        foreach (var file in response.File)
            File.WriteAllText(golden, file.Content);
        Assert.Skip($"Wrote {golden} anew.");
    }
}
