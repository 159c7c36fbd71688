namespace Weir.Server.Hosting;

/// <summary>One thing about the server that whoever runs it may choose: on the command line, in the environment or in appsettings.json.</summary>
/// <param name="option">Its name on the command line.</param>
/// <param name="key">Its key in the configuration, parts joined by colons.</param>
/// <param name="valueName">What stands for its value in the help.</param>
/// <param name="meaning">What it does, in a sentence.</param>
internal abstract class Setting(string option, string key, string valueName, string meaning)
{
    public string Option { get; } = option;

    public string Key { get; } = key;

    public string ValueName { get; } = valueName;

    public string Meaning { get; } = meaning;

    /// <summary>The name in the environment.</summary>
    public string Variable { get; init; } = key.Replace(":", "__", StringComparison.Ordinal);

    /// <summary>What people write who know other servers; it is not taken, but a hint comes from it.</summary>
    public IReadOnlyList<string> Synonyms { get; init; } = [];

    /// <summary>Which values are taken, with their unit; empty when any is.</summary>
    public abstract string Range { get; }

    /// <summary>What holds when nobody says otherwise.</summary>
    public abstract string DefaultText { get; }

    /// <summary>Whether the option may stand without a value and then means yes.</summary>
    public bool IsFlag => this is Setting<bool>;
}

/// <summary>A setting with the type of its value.</summary>
/// <param name="option">Its name on the command line.</param>
/// <param name="key">Its key in the configuration.</param>
/// <param name="values">Which texts are values.</param>
/// <param name="standard">What holds when nobody says otherwise.</param>
/// <param name="meaning">What it does, in a sentence.</param>
internal sealed class Setting<T>(string option, string key, SettingValues<T> values, T standard, string meaning)
    : Setting(option, key, values.Name, meaning)
{
    public T Default { get; } = standard;

    public override string Range => values.Range;

    public override string DefaultText => DefaultMeans ?? values.Say(Default);

    /// <summary>What the default is, where its value does not say it.</summary>
    public string? DefaultMeans { get; init; }

    /// <summary>The value that the configuration gives, else the default; an empty text counts as none.</summary>
    /// <exception cref="ServerStartException">The value is none, or out of range.</exception>
    public T Read(IConfiguration configuration)
    {
        if (configuration[Key] is not { Length: > 0 } text)
            return Default;
        if (values.TryParse(text, out var value))
            return value;
        throw new ServerStartException(2, $"{SettingOrigin.Of(configuration, Key, Option)} is \"{text}\"; it must be {Range}.");
    }
}
