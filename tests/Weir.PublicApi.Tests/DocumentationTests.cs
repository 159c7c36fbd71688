using System.Reflection;
using System.Xml.Linq;

namespace Weir.PublicApi.Tests;

/// <summary>What is public is documented: the compiler's CS1591 is an error in all libraries, and this looks at what it wrote.</summary>
public sealed class DocumentationTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IEnumerable<TheoryDataRow<string>> Libraries => BaselineTests.Libraries;

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Every_public_type_and_member_has_documentation(string name)
    {
        var library = new Library(name);
        var documented = XDocument.Load(library.Documentation).Descendants("member").Select(member => member.Attribute("name")!.Value).ToHashSet();
        var known = documented.Select(id => id.Split('(')[0].Split("``")[0]).ToHashSet();

        var missing = library.Assembly.GetTypes()
            .Where(type => ApiText.IsVisible(type) && !ApiText.IsMessage(type) && !IsGeneratedFromProto(type))
            .SelectMany(IdsOf)
            .Where(id => !known.Contains(id));
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void No_library_turns_the_rule_off(string name)
    {
        var folder = Path.GetDirectoryName(new Library(name).Project)!;
        var files = Directory.EnumerateFiles(folder, "*.cs*", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
        Assert.DoesNotContain(files, file => File.ReadAllText(file).Contains("1591", StringComparison.Ordinal));
    }

    private static IEnumerable<string> IdsOf(Type type)
    {
        var owner = type.FullName!.Replace('+', '.');
        yield return "T:" + owner;
        if (type.IsEnum)
        {
            foreach (var name in Enum.GetNames(type))
                yield return $"F:{owner}.{name}";
            yield break;
        }

        var positional = type.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Select(parameter => parameter.Name).ToHashSet();
        foreach (var member in type.GetMembers(Declared).Where(member => ApiText.IsVisible(member) && !ApiText.IsGeneratedByCompiler(member)))
        {
            switch (member)
            {
                case FieldInfo:
                    yield return $"F:{owner}.{member.Name}";
                    break;
                case PropertyInfo property when !positional.Contains(property.Name) && !IsOverride(property.GetAccessors(nonPublic: true)[0]):
                    yield return $"P:{owner}.{member.Name}";
                    break;
                case MethodInfo { IsSpecialName: false } method when !IsOverride(method):
                    yield return $"M:{owner}.{member.Name}";
                    break;
            }
        }
    }

    private static bool IsOverride(MethodInfo method) => method.GetBaseDefinition() != method;

    // protoc writes its own classes, such as the one with the file's descriptor; their comments are those of the .proto file.
    private static bool IsGeneratedFromProto(Type type) =>
        type.Name.EndsWith("Reflection", StringComparison.Ordinal) && type.GetProperty("Descriptor") is not null
        || type.Name == "Types" && type.DeclaringType is { } outer && ApiText.IsMessage(outer)
        || type.IsEnum && type.GetFields().Any(field => field.IsDefined(typeof(Google.Protobuf.Reflection.OriginalNameAttribute)));
}
