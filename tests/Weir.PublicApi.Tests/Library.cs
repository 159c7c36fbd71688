using System.Reflection;

namespace Weir.PublicApi.Tests;

/// <summary>A library of src: its assembly, and the file beside its project that holds its public API.</summary>
internal sealed record Library(string Name)
{
    public static readonly string Sources =
        typeof(Library).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(known => known.Key == "Sources").Value!;

    public string Baseline => Path.Combine(Sources, Name, "PublicApi.txt");

    public string Project => Path.Combine(Sources, Name, Name + ".csproj");

    public Assembly Assembly => Assembly.Load(Name);

    /// <summary>What the compiler wrote of the documentation, beside the assembly.</summary>
    public string Documentation => Path.ChangeExtension(Assembly.Location, ".xml");

    /// <summary>All folders of src with a project that is a library.</summary>
    public static IReadOnlyList<Library> All { get; } =
    [
        .. Directory.EnumerateDirectories(Sources)
            .Select(folder => new Library(Path.GetFileName(folder)))
            .Where(library => File.Exists(library.Project) && !File.ReadAllText(library.Project).Contains("<OutputType>Exe</OutputType>", StringComparison.Ordinal))
            .OrderBy(library => library.Name, StringComparer.Ordinal),
    ];
}
