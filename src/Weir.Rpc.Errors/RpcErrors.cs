using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Weir.Rpc.Errors;

/// <summary>Errors with details: messages beside the status, in a google.rpc.Status in the trailer "grpc-status-details-bin". Which messages there are is
/// agreed in error_details.proto (namespace Google.Rpc: BadRequest, ErrorInfo, RetryInfo, QuotaFailure, PreconditionFailure, ResourceInfo, Help,
/// LocalizedMessage, RequestInfo, DebugInfo), but any message will do.</summary>
/// <example>
/// On the server <c>throw RpcErrors.Create(StatusCode.InvalidArgument, "no such symbol", new BadRequest { ... });</c>, on the client
/// <c>catch (RpcException error) when (error.TryGetDetail&lt;BadRequest&gt;(out var bad))</c>.
/// </example>
public static class RpcErrors
{
    /// <summary>The trailer that carries the details.</summary>
    public const string TrailerKey = "grpc-status-details-bin";

    /// <summary>An exception that ends a call with a status and details.</summary>
    /// <exception cref="ArgumentException">The code is OK.</exception>
    public static RpcException Create(StatusCode code, string detail, params IReadOnlyList<IMessage> details)
    {
        ArgumentNullException.ThrowIfNull(detail);
        ArgumentNullException.ThrowIfNull(details);
        var status = new Google.Rpc.Status { Code = (int)code, Message = detail };
        status.Details.AddRange(details.Select(Any.Pack));
        return status.ToException();
    }

    /// <summary>An exception that ends a call with this status and its details.</summary>
    /// <param name="status">The status. Its code is one of gRPC's other than OK.</param>
    /// <param name="trailers">Other trailers to send; an older status in them is replaced.</param>
    /// <exception cref="ArgumentException">The code is OK or none of gRPC's.</exception>
    public static RpcException ToException(this Google.Rpc.Status status, Metadata? trailers = null)
    {
        ArgumentNullException.ThrowIfNull(status);
        if (status.Code is <= 0 or > (int)StatusCode.Unauthenticated)
        {
            throw new ArgumentException($"{status.Code} is no code of an error; 1 to {(int)StatusCode.Unauthenticated} are.", nameof(status));
        }

        trailers ??= [];
        trailers.Remove(TrailerKey);
        trailers.Add(TrailerKey, status.ToByteArray());
        return new RpcException(new Status((StatusCode)status.Code, status.Message), trailers);
    }

    /// <summary>The status with all its details; null when there is none, when it cannot be parsed, or when its code is not the call's.</summary>
    public static Google.Rpc.Status? GetRpcStatus(this RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (error.Trailers.GetBytes(TrailerKey) is not { } bytes)
        {
            return null;
        }

        try
        {
            var status = Google.Rpc.Status.Parser.ParseFrom(bytes.ToArray()); // from a span only code of newer generators parses
            return status.Code == (int)error.StatusCode ? status : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null; // the call has failed; that its details are broken as well is not worth another exception
        }
    }

    /// <summary>The first detail of a type, or null when there is none that can be parsed.</summary>
    public static T? GetDetail<T>(this RpcException error)
        where T : class, IMessage<T>, new() => error.GetDetails<T>() is [var first, ..] ? first : null;

    /// <summary>The first detail of a type. False when there is none that can be parsed.</summary>
    public static bool TryGetDetail<T>(this RpcException error, [NotNullWhen(true)] out T? detail)
        where T : class, IMessage<T>, new() => (detail = error.GetDetail<T>()) is not null;

    /// <summary>Every detail of a type, in order; those that cannot be parsed are left out.</summary>
    public static IReadOnlyList<T> GetDetails<T>(this RpcException error)
        where T : class, IMessage<T>, new()
    {
        List<T> found = [];
        foreach (var any in error.GetRpcStatus()?.Details ?? [])
        {
            try
            {
                if (any.TryUnpack<T>(out var detail))
                {
                    found.Add(detail);
                }
            }
            catch (InvalidProtocolBufferException)
            {
                // left out
            }
        }

        return found;
    }
}
