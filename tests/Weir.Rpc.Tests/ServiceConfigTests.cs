using Weir.Rpc.Policies;

namespace Weir.Rpc.Tests;

/// <summary>The service config's JSON form and what its values may be.</summary>
public sealed class ServiceConfigTests
{
    [Fact]
    public void Everything_that_the_specification_names_is_read()
    {
        var config = ServiceConfig.Parse("""
            {
              "loadBalancingConfig": [ { "best": {} }, { "round_robin": { "x": 1 } } ],
              "methodConfig": [
                { "name": [ { "service": "a.B", "method": "C" }, { "service": "a.D" } ], "timeout": "1.5s", "waitForReady": true,
                  "maxRequestMessageBytes": 100, "maxResponseMessageBytes": "200",
                  "retryPolicy": { "maxAttempts": 9, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": [ "UNAVAILABLE", 8, "deadline_exceeded", "CANCELLED" ] } },
                { "name": [ {} ], "hedgingPolicy": { "maxAttempts": 3, "hedgingDelay": "0.25s", "nonFatalStatusCodes": [ "INTERNAL" ] }, "unknown": 1 } ],
              "retryThrottling": { "maxTokens": 20, "tokenRatio": 0.5 },
              "healthCheckConfig": { "serviceName": "x" }
            }
            """);
        Assert.Equal(["best", "round_robin"], config.LoadBalancingPolicies);
        Assert.Equal((20, 0.5), (config.RetryThrottling!.MaxTokens, config.RetryThrottling.TokenRatio));
        var first = config.MethodConfigs[0];
        Assert.Equal([new MethodName("a.B", "C"), new MethodName("a.D")], first.Names);
        Assert.Equal((TimeSpan.FromSeconds(1.5), true, 100, 200), (first.Timeout, first.WaitForReady, first.MaxRequestMessageBytes, first.MaxResponseMessageBytes));
        var retry = first.RetryPolicy!;
        Assert.Equal((5, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(1), 2), (retry.MaxAttempts, retry.InitialBackoff, retry.MaxBackoff, retry.BackoffMultiplier));
        Assert.Equal([StatusCode.Cancelled, StatusCode.DeadlineExceeded, StatusCode.ResourceExhausted, StatusCode.Unavailable], retry.RetryableStatusCodes.Order());
        var hedging = config.MethodConfigs[1].HedgingPolicy!;
        Assert.Equal((3, TimeSpan.FromSeconds(0.25), StatusCode.Internal), (hedging.MaxAttempts, hedging.HedgingDelay, Assert.Single(hedging.NonFatalStatusCodes)));
    }

    [Fact]
    public void The_old_name_of_the_policy_is_read()
    {
        Assert.Equal(["round_robin"], ServiceConfig.Parse("""{ "loadBalancingPolicy": "ROUND_ROBIN" }""").LoadBalancingPolicies);
        Assert.Empty(ServiceConfig.Parse("{}").MethodConfigs);
    }

    [Fact]
    public void A_methods_own_name_beats_its_services_which_beats_the_default()
    {
        var policies = new MethodPolicies(ServiceConfig.Parse("""
            { "methodConfig": [
              { "name": [ { "service": "" } ], "timeout": "1s" },
              { "name": [ { "service": "a.B", "method": "C" } ], "timeout": "2s" },
              { "name": [ { "service": "a.B" } ], "timeout": "3s" } ] }
            """));
        Assert.Equal(2, policies.Find("a.B", "C")?.Timeout?.TotalSeconds);
        Assert.Equal(3, policies.Find("a.B", "D")?.Timeout?.TotalSeconds);
        Assert.Equal(1, policies.Find("x.Y", "C")?.Timeout?.TotalSeconds);
        Assert.Null(new MethodPolicies(new ServiceConfig()).Find("a.B", "C"));
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "must be an object")]
    [InlineData("""{"methodConfig":{}}""", "methodConfig is {}; it must be an array")]
    [InlineData("""{"methodConfig":[1]}""", "methodConfig[0] is 1; it must be an object")]
    [InlineData("""{"methodConfig":[{"name":[{"method":"x"}]}]}""", "methodConfig[0].name[0] has the method \"x\" without a service")]
    [InlineData("""{"methodConfig":[{"name":[{}]},{"name":[{}]}]}""", "methodConfig[1].name[0] \"/\" is there already")]
    [InlineData("""{"methodConfig":[{"name":[{"service":1}]}]}""", "methodConfig[0].name[0].service is 1; it must be a string")]
    [InlineData("""{"methodConfig":[{"timeout":"5"}]}""", "methodConfig[0].timeout is \"5\"; it must be a span")]
    [InlineData("""{"methodConfig":[{"timeout":"-5s"}]}""", "methodConfig[0].timeout is not right")]
    [InlineData("""{"methodConfig":[{"waitForReady":1}]}""", "methodConfig[0].waitForReady is 1; it must be true or false")]
    [InlineData("""{"methodConfig":[{"maxRequestMessageBytes":-1}]}""", "methodConfig[0].maxRequestMessageBytes is -1; it must be a number of bytes")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{}}]}""", "methodConfig[0].retryPolicy.maxAttempts is missing")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":1,"initialBackoff":"1s","maxBackoff":"1s","backoffMultiplier":1,"retryableStatusCodes":[14]}}]}""", "methodConfig[0].retryPolicy.maxAttempts is not right")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":2,"initialBackoff":"0s","maxBackoff":"1s","backoffMultiplier":1,"retryableStatusCodes":[14]}}]}""", "methodConfig[0].retryPolicy.initialBackoff is not right")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":2,"initialBackoff":"1s","maxBackoff":"0s","backoffMultiplier":1,"retryableStatusCodes":[14]}}]}""", "methodConfig[0].retryPolicy.maxBackoff is not right")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":2,"initialBackoff":"1s","maxBackoff":"1s","backoffMultiplier":0,"retryableStatusCodes":[14]}}]}""", "methodConfig[0].retryPolicy.backoffMultiplier is not right")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":2,"initialBackoff":"1s","maxBackoff":"1s","backoffMultiplier":1,"retryableStatusCodes":[]}}]}""", "methodConfig[0].retryPolicy.retryableStatusCodes is not right")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":2,"initialBackoff":"1s","maxBackoff":"1s","backoffMultiplier":1,"retryableStatusCodes":["WHAT"]}}]}""", "methodConfig[0].retryPolicy.retryableStatusCodes[0] is \"WHAT\"")]
    [InlineData("""{"methodConfig":[{"retryPolicy":{"maxAttempts":2,"initialBackoff":"1s","maxBackoff":"1s","backoffMultiplier":1,"retryableStatusCodes":["OK"]}}]}""", "methodConfig[0].retryPolicy.retryableStatusCodes is not right")]
    [InlineData("""{"methodConfig":[{"hedgingPolicy":{"maxAttempts":2,"hedgingDelay":"-1s"}}]}""", "methodConfig[0].hedgingPolicy.hedgingDelay is not right")]
    [InlineData("""{"methodConfig":[{"hedgingPolicy":{"maxAttempts":2},"retryPolicy":{"maxAttempts":2,"initialBackoff":"1s","maxBackoff":"1s","backoffMultiplier":1,"retryableStatusCodes":[14]}}]}""", "methodConfig[0] has a retryPolicy and a hedgingPolicy")]
    [InlineData("""{"retryThrottling":{"maxTokens":1001,"tokenRatio":1}}""", "retryThrottling.maxTokens is not right")]
    [InlineData("""{"retryThrottling":{"maxTokens":10,"tokenRatio":0.0001}}""", "retryThrottling.tokenRatio is not right")]
    [InlineData("""{"loadBalancingConfig":[{}]}""", "loadBalancingConfig[0] is {}; it must be an object with one field")]
    public void An_error_names_the_field(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => ServiceConfig.Parse(json)).Message, StringComparison.Ordinal);
}
