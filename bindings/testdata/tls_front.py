"""The TLS in front of a hub: ends it, and passes the bytes on. For tests of pins, on this machine alone.

    tls_front.py CERTIFICATE KEY TARGET      TARGET: a file that holds the hub's port, read at each connection

Prints the port it listens on.
"""

import contextlib
import pathlib
import socket
import ssl
import sys
import threading


def pump(source, sink):
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    # The other direction ends too: a client that hung up is not to be waited for.
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def serve(plain, context, target):
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as client:
        with socket.create_connection(("127.0.0.1", int(target.read_text()))) as hub:
            there = threading.Thread(target=pump, args=(client, hub), daemon=True)
            there.start()
            pump(hub, client)
            there.join()


def main():
    certificate, key, target = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            plain, _ = listening.accept()
            threading.Thread(target=serve, args=(plain, context, pathlib.Path(target)), daemon=True).start()


main()
