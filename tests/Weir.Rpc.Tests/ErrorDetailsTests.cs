using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Weir.Rpc.Errors;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Errors with details, both ends.</summary>
public sealed class ErrorDetailsTests
{
    [Fact]
    public async Task Details_travel_with_the_status()
    {
        await using var host = new TestHost();
        var bad = new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "symbol", Description = "größer" } } };
        var retry = new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)) };
        host.Service.OnUnary = (_, _) => throw RpcErrors.Create(StatusCode.InvalidArgument, "no", bad, retry, new ErrorInfo { Type = "a" }, new ErrorInfo { Type = "b" });
        var error = await host.Unary("").AsTask().FailsAsync(StatusCode.InvalidArgument);
        Assert.Equal("no", error.Status.Detail);
        Assert.True(error.TryGetDetail<BadRequest>(out var received));
        Assert.Equal(bad, received);
        Assert.Equal(retry, error.GetDetail<RetryInfo>());
        Assert.Equal(["a", "b"], error.GetDetails<ErrorInfo>().Select(info => info.Type));
        Assert.False(error.TryGetDetail<QuotaFailure>(out _));
        Assert.Equal(4, error.GetRpcStatus()!.Details.Count);
    }

    [Fact]
    public void Every_message_of_error_details_is_typed()
    {
        IMessage[] all = [new BadRequest(), new RetryInfo(), new ErrorInfo(), new DebugInfo(), new QuotaFailure(), new PreconditionFailure(), new RequestInfo(), new ResourceInfo(), new Help(), new LocalizedMessage()];
        var details = RpcErrors.Create(StatusCode.Aborted, "", all).GetRpcStatus()!.Details;
        Assert.Equal(all.Select(message => $"type.googleapis.com/google.rpc.{message.Descriptor.Name}"), details.Select(any => any.TypeUrl));
    }

    [Fact]
    public void An_error_without_right_details_has_none()
    {
        Assert.Null(new RpcException(StatusCode.Aborted, "").GetRpcStatus());
        Assert.Null(WithTrailer(StatusCode.Aborted, [255, 255]).GetRpcStatus());
        Assert.Null(WithTrailer(StatusCode.NotFound, new Google.Rpc.Status { Code = (int)StatusCode.Aborted }.ToByteArray()).GetRpcStatus());
        var broken = new Google.Rpc.Status { Code = (int)StatusCode.Aborted, Details = { new Any { TypeUrl = "type.googleapis.com/google.rpc.BadRequest", Value = ByteString.CopyFrom(255, 255) } } };
        Assert.False(WithTrailer(StatusCode.Aborted, broken.ToByteArray()).TryGetDetail<BadRequest>(out _));

        static RpcException WithTrailer(StatusCode code, byte[] bytes) => new(new Weir.Rpc.Status(code, ""), new Metadata { { RpcErrors.TrailerKey, bytes } });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(17)]
    public void A_status_that_is_no_error_is_refused(int code) =>
        Assert.Throws<ArgumentException>(() => new Google.Rpc.Status { Code = code }.ToException());

    [Fact]
    public void Other_trailers_are_kept_and_an_older_status_is_replaced()
    {
        var trailers = new Metadata { { "other", "x" }, { RpcErrors.TrailerKey, new byte[] { 1 } } };
        var error = new Google.Rpc.Status { Code = 5, Message = "no" }.ToException(trailers);
        Assert.Equal(("x", "no"), (error.Trailers.GetValue("other"), error.GetRpcStatus()!.Message));
        Assert.Single(error.Trailers.GetAll(RpcErrors.TrailerKey));
    }
}
