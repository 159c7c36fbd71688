using System.Xml.Linq;

namespace Weir.Protoc.Tests;

/// <summary>What a project gets that imports Weir.Protoc.targets.</summary>
public sealed class TargetsTests
{
    private static readonly string Root = Path.GetFullPath("../../..", Protoc.Tool("Golden"));

    [Fact]
    public void A_project_without_central_versions_gets_the_repositorys_version_of_Grpc_Tools()
    {
        var central = XDocument.Load(Path.Combine(Root, "Directory.Packages.props")).Descendants("PackageVersion")
            .Single(package => package.Attribute("Include")?.Value == "Grpc.Tools").Attribute("Version")!.Value;
        var versions = XDocument.Load(Path.Combine(Root, "src", "Weir.Protoc", "Weir.Protoc.targets")).Descendants("PackageReference")
            .Where(package => package.Attribute("Include")?.Value == "Grpc.Tools")
            .ToDictionary(package => package.Attribute("Condition")!.Value.Contains("!= 'true'", StringComparison.Ordinal), package => package.Attribute("Version")?.Value);

        Assert.Equal(new() { [false] = null, [true] = central }, versions);
    }
}
