"""Cancels calls at every moment and makes others on the same channel, which must not notice: cancel_client.py ADDR CALLS

Of GetRealTimePrices a third each are cancelled at once, cancelled after a price, and read to their end. Prints the peers that the prices name, one
a line: as many as there were connections. An error of a call that was not cancelled ends the program with it.
"""
import sys
from collections import deque

import grpc

from contract import Client, pb

IN_FLIGHT = 30


def main(address, calls):
    peers = set()
    with grpc.insecure_channel(address) as channel:
        client = Client(channel)
        waiting = deque()
        for i in range(int(calls)):
            symbol = "PEER" if i % 3 == 2 else "FOREVER"
            call = client.get_real_time_prices(pb.StockRequest(symbol=symbol), timeout=60)
            if i % 3 == 0:
                call.cancel()
            elif i % 3 == 1:
                peers.add(next(call).symbol)
                call.cancel()
            else:
                waiting.append(call)
            if len(waiting) == IN_FLIGHT:
                peers.update(price.symbol for price in waiting.popleft())
        for call in waiting:
            peers.update(price.symbol for price in call)
    print("\n".join(sorted(peers)))


main(*sys.argv[1:])
