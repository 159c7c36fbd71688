using System.Globalization;
using System.Reflection;
using System.Text;

namespace Weir.PublicApi.Tests;

/// <summary>The public API of an assembly as text, one type or member a line, in an order that does not change.</summary>
/// <remarks>Messages of protobuf show only their fields: the rest is the same in all of them.</remarks>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    public static IReadOnlyList<string> Of(Assembly assembly) =>
    [
        .. assembly.GetTypes().Where(IsVisible).OrderBy(type => NameOf(type), StringComparer.Ordinal)
            .SelectMany(type => LinesOf(type).Prepend(Header(type))),
    ];

    private static IEnumerable<string> LinesOf(Type type)
    {
        var owner = NameOf(type);
        if (typeof(Delegate).IsAssignableFrom(type))
            return [];
        if (type.IsEnum)
            return Enum.GetNames(type).Select(name => $"{owner}.{name} = {Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)}");
        var members = type.GetMembers(Declared).Where(member => IsVisible(member) && !IsGeneratedByCompiler(member));
        if (IsMessage(type))
            members = members.Where(member => member is PropertyInfo { Name: not ("Parser" or "Descriptor") });
        return members.Select(member => Line(owner, member)).Order(StringComparer.Ordinal);
    }

    private static string Header(Type type)
    {
        var kind = typeof(Delegate).IsAssignableFrom(type) ? "delegate"
            : type.IsInterface ? "interface"
            : type.IsEnum ? "enum"
            : type.IsValueType ? "struct"
            : type is { IsAbstract: true, IsSealed: true } ? "static class"
            : type.IsAbstract ? "abstract class"
            : type.IsSealed ? "sealed class" : "class";
        if (typeof(Delegate).IsAssignableFrom(type))
            return $"{kind} {Signature(type.GetMethod("Invoke")!, NameOf(type))}";
        var bases = type.GetInterfaces().Except(type.GetInterfaces().SelectMany(one => one.GetInterfaces()))
            .Where(one => one.IsPublic && type.BaseType?.GetInterfaces().Contains(one) != true && !IsMessage(type))
            .Select(NameOf).Order(StringComparer.Ordinal);
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && !type.IsEnum)
            bases = bases.Prepend(NameOf(parent)).Order(Comparer<string>.Create(static (_, _) => 0));
        var list = type.IsEnum ? "" : string.Join(", ", bases);
        return $"{kind} {NameOf(type)}{(list.Length > 0 ? $" : {list}" : "")}";
    }

    private static string Line(string owner, MemberInfo member) => member switch
    {
        FieldInfo field => $"{Modifiers(field)}{owner}.{field.Name}: {NameOf(field.FieldType, Nullability.Create(field))}{ConstantOf(field)}",
        PropertyInfo property =>
            $"{Modifiers(property)}{owner}.{property.Name}{Indices(property)}: {NameOf(property.PropertyType, Nullability.Create(property))} {{{Accessors(property)} }}",
        EventInfo happening => $"{owner}.{happening.Name}: event {NameOf(happening.EventHandlerType!)}",
        ConstructorInfo constructor => $"{Access(constructor)}{owner}.new({Parameters(constructor)})",
        MethodInfo method => Signature(method, $"{owner}.{method.Name}"),
        _ => throw new InvalidOperationException($"{member.MemberType} {member} of {owner} has no line."),
    };

    private static string Signature(MethodInfo method, string name)
    {
        var arguments = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(one => one.Name))}>" : "";
        return $"{Modifiers(method)}{name}{arguments}({Parameters(method)}): {NameOf(method.ReturnType, Nullability.Create(method.ReturnParameter))}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(ParameterText));

    private static string ParameterText(ParameterInfo parameter)
    {
        var text = new StringBuilder();
        if (parameter.ParameterType.IsByRef)
            text.Append(parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ");
        var type = parameter.ParameterType.IsByRef ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
        text.Append(NameOf(type, Nullability.Create(parameter))).Append(' ').Append(parameter.Name);
        if (parameter.HasDefaultValue)
            text.Append(" = ").Append(Literal(parameter.DefaultValue, parameter.ParameterType));
        return text.ToString();
    }

    private static string Indices(PropertyInfo property) =>
        property.GetIndexParameters() is { Length: > 0 } indices ? $"[{string.Join(", ", indices.Select(ParameterText))}]" : "";

    private static string Accessors(PropertyInfo property)
    {
        var text = "";
        if (property.GetMethod is { } get && IsOpen(get))
            text += " get;";
        if (property.SetMethod is { } set && IsOpen(set))
            text += set.ReturnParameter.GetRequiredCustomModifiers().Any(one => one.Name == "IsExternalInit") ? " init;" : " set;";
        return text;
    }

    private static string ConstantOf(FieldInfo field) => field.IsLiteral ? $" = {Literal(field.GetRawConstantValue(), field.FieldType)}" : "";

    private static string Literal(object? value, Type type) => value switch
    {
        null => type.IsValueType ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Modifiers(FieldInfo field) => (field.IsFamily ? "protected " : "") + (field.IsLiteral ? "const " : field.IsStatic ? "static " : "");

    private static string Modifiers(PropertyInfo property) => Modifiers(property.GetAccessors(nonPublic: true).First(IsOpen));

    private static string Modifiers(MethodBase method) => Access(method) + method switch
    {
        { IsStatic: true } => method.IsAbstract ? "static abstract " : "static ",
        { DeclaringType.IsInterface: true } => "",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true, IsFinal: false } => ((MethodInfo)method).GetBaseDefinition() == method ? "virtual " : "override ",
        _ => "",
    };

    private static string Access(MethodBase method) => method.IsFamily || method.IsFamilyOrAssembly ? "protected " : "";

    private static string NameOf(Type type) => NameOf(type, null);

    private static string NameOf(Type type, NullabilityInfo? nullability)
    {
        var mark = nullability?.ReadState == NullabilityState.Nullable && !type.IsValueType ? "?" : "";
        if (type.IsArray)
            return $"{NameOf(type.GetElementType()!, nullability?.ElementType)}[]{mark}";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return NameOf(underlying) + "?";
        if (type.IsPointer)
            return NameOf(type.GetElementType()!) + "*";
        if (type.IsGenericParameter)
            return type.Name; // T and T? look the same here
        var own = type.GetGenericArguments().Skip(type.DeclaringType?.GetGenericArguments().Length ?? 0).ToArray();
        var name = type.Name.Split('`')[0];
        if (own.Length > 0)
        {
            var states = nullability?.GenericTypeArguments;
            var first = type.GetGenericArguments().Length - own.Length;
            name += $"<{string.Join(", ", own.Select((one, i) => NameOf(one, states is { Length: > 0 } ? states[first + i] : null)))}>";
        }

        var prefix = type.DeclaringType is { } outer ? NameOf(outer) + "." : type.Namespace is { } space && space.StartsWith("Weir", StringComparison.Ordinal) ? space + "." : "";
        return prefix + name + mark;
    }

    internal static bool IsVisible(Type type) => type.IsNested
        ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!)
        : type.IsPublic;

    internal static bool IsVisible(MemberInfo member) => member switch
    {
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        MethodBase { IsSpecialName: true } method => IsOpen(method) && (method.IsConstructor || method.Name.StartsWith("op_", StringComparison.Ordinal)),
        MethodBase method => IsOpen(method),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsOpen),
        EventInfo happening => IsOpen(happening.AddMethod!),
        _ => false, // nested types have lines of their own
    };

    // A sealed type has no heirs, so what is protected in it nobody sees.
    private static bool IsOpen(MethodBase method) =>
        method.IsPublic || (method.IsFamily || method.IsFamilyOrAssembly) && method.DeclaringType!.IsSealed == false;

    internal static bool IsGeneratedByCompiler(MemberInfo member) =>
        member.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)) && member is not PropertyInfo;

    internal static bool IsMessage(Type type) => type.GetInterface("Google.Protobuf.IMessage") is not null && !type.IsInterface;
}
