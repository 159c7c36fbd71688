using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Weir.Cli.Commands;

/// <summary>Checks of arguments, so that a wrong one is a usage error.</summary>
internal static class Usage
{
    /// <summary>Takes whole numbers of a range only, and has the help say it.</summary>
    public static void Within(this Option<int> option, int least, int most = int.MaxValue)
    {
        option.Description += $" {Range(least, most)}.";
        option.CustomParser = result => Whole(result, option.Name, least, most);
    }

    /// <inheritdoc cref="Within(Option{int}, int, int)"/>
    public static void Within(this Argument<int> argument, int least, int most = int.MaxValue)
    {
        argument.Description += $" {Range(least, most)}.";
        argument.CustomParser = result => Whole(result, $"The {argument.Name}", least, most);
    }

    /// <summary>Takes numbers of a range only.</summary>
    public static void Within(this Option<double> option, double least, double most) => option.CustomParser = result =>
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        result.AddError($"{option.Name} is \"{text}\"; it must be a number, {least:0} to {most:#,0}.");
        return default;
    };

    /// <summary>Refuses an empty text.</summary>
    public static void NotEmpty(this Option<string> option) => option.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: "" }])
            result.AddError($"{option.Name} is empty.");
    });

    /// <inheritdoc cref="NotEmpty(Option{string})"/>
    public static void NotEmpty(this Argument<string> argument) => argument.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: "" }])
            result.AddError($"The {argument.Name} is empty.");
    });

    /// <summary>Names what is wrong with a file that is to be read, where the system would only say that access is denied.</summary>
    public static void CheckReadable(string path)
    {
        if (Directory.Exists(path))
            throw new CommandException($"{path} is a folder; name a file.");
        if (!File.Exists(path))
            throw new CommandException($"There is no file {path}.");
    }

    /// <summary>Names what is wrong with the place of a file that is to be written.</summary>
    public static void CheckWritable(string path)
    {
        if (Directory.Exists(path))
            throw new CommandException($"{path} is a folder; name a file.");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new CommandException($"There is no folder {folder} to write {Path.GetFileName(path)} to.");
    }

    private static int Whole(ArgumentResult result, string name, int least, int most)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        result.AddError($"{name} is \"{text}\"; it must be a whole number, {Range(least, most)}.");
        return default;
    }

    private static string Range(int least, int most) => string.Create(CultureInfo.InvariantCulture, $"{least:#,0} to {most:#,0}");
}
