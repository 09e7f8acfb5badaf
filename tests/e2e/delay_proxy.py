#!/usr/bin/env python3
"""Passes TCP connections on with a delay, as a network of that round trip time would; its bandwidth has no limit.

usage: delay_proxy.py TARGET_PORT ROUND_TRIP_MS
Listens on a free port of 127.0.0.1, which it prints.
"""

import asyncio
import sys


async def pump(reader, writer, delay):
    """Every piece arrives so much later than it was sent; pieces under way at the same time do not wait for each other."""
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue(maxsize=256)

    async def deliver():
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def collect():
        while True:
            data = await reader.read(1 << 18)
            await queue.put((loop.time() + delay, data))
            if not data:
                break

    await asyncio.gather(deliver(), collect(), return_exceptions=True)


async def main(target_port, round_trip):
    async def serve(reader, writer):
        await asyncio.sleep(round_trip)  # of the handshake
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, other_writer, round_trip / 2), pump(other_reader, writer, round_trip / 2))
        writer.close()
        other_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
