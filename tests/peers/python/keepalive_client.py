"""Stays on one channel for some seconds, with PINGs as often as it is told, and says on standard output how its calls ended.

keepalive_client.py ADDR SYMBOL SECONDS PING_MILLISECONDS [CALLS]

Calls GetRealTimePrices of SYMBOL again and again, each to its end, CALLS times at most. Writes a line for each price, its symbol, and for the first call that ends with an
error its status.
"""
import sys
import time

import grpc

from contract import Client, pb


def main(address, symbol, seconds, ping_milliseconds, calls=sys.maxsize):
    options = [
        ("grpc.keepalive_time_ms", int(ping_milliseconds)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Without these it would not send as often as it is told.
        ("grpc.http2.min_time_between_pings_ms", 10),
        ("grpc.http2.min_ping_interval_without_data_ms", 10),
    ]
    with grpc.insecure_channel(address, options=options) as channel:
        client = Client(channel)
        end = time.monotonic() + float(seconds)
        for _ in range(int(calls)):
            if time.monotonic() >= end:
                return
            try:
                for price in client.get_real_time_prices(pb.StockRequest(symbol=symbol), timeout=30):
                    print(price.symbol, flush=True)
            except grpc.RpcError as error:
                print(f"{error.code().name}: {error.details()}", flush=True)
                return


main(*sys.argv[1:])
