#!/usr/bin/env python3
"""Restarts and proxies under a steady load of checks: not one may be lost. Then tests/proxies.py: gateways that die behind them.

usage: tests/gateways.py SUSV       (needs haproxy, nginx with auth_request, openssl, curl)

Upgrade in place behind a socket that the service manager holds; the same without one, to measure the gap; two gateways behind
packaging/haproxy/haproxy.cfg, each stopped and restarted in turn; TLS by packaging/nginx/susv.conf, with such a socket and without.
"""
import http.client
import json
import pathlib
import shutil
import socket
import ssl
import sys
import tempfile
import time

# Nothing of the tests is left beside them.
sys.dont_write_bytecode = True
import proxies
from gateway_tools import IMAGE, Load, free_port, haproxy_running, make_folder, nginx_running, start, stop


def upgrade_behind_a_socket(program, parent):
    folder = make_folder(parent, "socket", "")
    installed = parent / "susv"
    shutil.copy(program, installed)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        server = start(installed, folder, stdin=listener)
        with Load(listener.getsockname()[1], keep_alive=False) as load:
            for _ in range(5):
                load.wait_for_more()
                # As a package manager does it: the new program takes the old one's name.
                shutil.copy(program, parent / "susv.new")
                (parent / "susv.new").rename(installed)
                stop(server)
                server = start(installed, folder, stdin=listener)
            load.wait_for_more()
        stop(server)
    assert not load.failures, load.failures[:5]
    print(f"upgrade behind a socket: {load.count} checks, 5 restarts, none lost")


def gap_without_a_socket(program, parent):
    port = free_port()
    folder = make_folder(parent, "plain", f"address = 127.0.0.1\nport = {port}\n")
    server = start(program, folder)
    gaps = []
    with Load(port, keep_alive=False, threads=1) as load:
        for _ in range(5):
            load.wait_for_more(50)
            known = len(load.failures)
            stop(server)
            server = start(program, folder)
            load.wait_for_more(50)
            lost = load.failures[known:]
            gaps.append(1000 * (lost[-1][1] - lost[0][0]) if lost else 0)
    stop(server)
    print("restart without a socket: callers are refused for " + ", ".join(f"{gap:.0f}" for gap in gaps) + " ms")


def two_gateways_behind_haproxy(program, parent):
    front, ports = free_port(), [free_port(), free_port()]
    folders = [make_folder(parent, f"gateway{port}", f"base_url = http://127.0.0.1:{port}\naddress = 127.0.0.1\nport = {port}\n") for port in ports]
    servers = [start(program, folder) for folder in folders]
    with haproxy_running(parent, ports, front):
        for keep_alive in (False, True):
            # So many that with "balance source" each gateway has some.
            with Load(front, keep_alive, threads=8) as load:
                for _ in range(2):
                    for number in (0, 1):
                        load.wait_for_more()
                        stop(servers[number])
                        load.wait_for_more()
                        servers[number] = start(program, folders[number])
                        # Until HAProxy has seen it again: one of the two must be there before the other goes.
                        wait_until_used(folders[number], ports[number])
                load.wait_for_more()
            assert not load.failures, load.failures[:5]
            # Each names itself; none was HAProxy's own "no update".
            assert load.urls == {f"http://127.0.0.1:{port}{IMAGE}" for port in ports}, load.urls
            kind = "kept" if keep_alive else "new"
            print(f"haproxy, {kind} connections: {load.count} checks, 4 stops and restarts, none lost")
    for server in servers:
        stop(server)


def wait_until_used(folder, port):
    """Waits until a gateway gets checks through HAProxy: its own page counts them."""
    end = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        connection.request("GET", "/status")
        if json.loads(connection.getresponse().read())["totals"]["checks"] > 0:
            return
        assert time.monotonic() < end, f"{folder.name} is not used again"
        time.sleep(0.02)


def tls_by_nginx(program, parent):
    port, front = free_port(), free_port()
    settings = "base_url = https://updates.example.org\n"
    own = "https://localhost/firmware/0/upd_app.bin"  # nginx's "no update"
    offered = f"https://updates.example.org{IMAGE}"
    with_socket = make_folder(parent, "socket", settings)
    without = make_folder(parent, "plain", f"{settings}address = 127.0.0.1\nport = {port}\n")
    with nginx_running(parent, port, front):
        tls = ssl.create_default_context(cafile=parent / "cert.pem")
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(1024)
            server = start(program, with_socket, stdin=listener)
            for keep_alive in (False, True):
                with Load(front, keep_alive, tls=tls) as load:
                    for _ in range(5):
                        load.wait_for_more()
                        stop(server)
                        server = start(program, with_socket, stdin=listener)
                    load.wait_for_more()
                assert not load.failures, load.failures[:5]
                assert load.urls == {offered}, load.urls
                kind = "kept" if keep_alive else "new"
                print(f"nginx with TLS, {kind} connections, behind a socket: {load.count} checks, 5 restarts, none lost")
            stop(server)
        server = start(program, without)
        with Load(front, keep_alive=True, tls=tls) as load:
            for _ in range(5):
                load.wait_for_more()
                stop(server)
                server = start(program, without)
            load.wait_for_more()
        stop(server)
        assert not load.failures, load.failures[:5]
        assert load.urls <= {offered, own}, load.urls
        print(f"nginx with TLS, no socket: {load.count} checks, 5 restarts, all answered 200")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    for test in (upgrade_behind_a_socket, gap_without_a_socket, two_gateways_behind_haproxy, tls_by_nginx, *proxies.TESTS):
        with tempfile.TemporaryDirectory(prefix="susv-gateways-") as name:
            test(program, pathlib.Path(name))


if __name__ == "__main__":
    main()
