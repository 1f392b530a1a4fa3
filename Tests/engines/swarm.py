"""A swarm of two nodes on one machine: a second docker daemon in a network namespace of its own."""

import json
import os

from docker import DOCKER
from harness import check, contains, sh, until

SECOND = "unix:///run/docker2.sock"


def network():
    """Two addresses that reach each other: 10.77.0.1 here, 10.77.0.2 there."""
    sh("ip netns add node2 && ip link add swarm0 type veth peer name swarm1 netns node2 && "
       "ip addr add 10.77.0.1/24 dev swarm0 && ip link set swarm0 up && "
       "ip -n node2 addr add 10.77.0.2/24 dev swarm1 && ip -n node2 link set swarm1 up && ip -n node2 link set lo up && "
       "ip -n node2 route add default via 10.77.0.1")


def second_daemon():
    """Starts the second daemon. Its mounts are the machine's, so only the network is another."""
    os.makedirs("/var/lib/docker2", exist_ok=True)
    with open("/etc/docker/daemon.json", encoding="utf-8") as file:
        settings = json.load(file)
    with open("/run/docker2.json", "w", encoding="utf-8") as file:
        json.dump(settings, file)
    sh("systemd-run --quiet --unit docker2 -p Delegate=yes nsenter --net=/run/netns/node2 dockerd "
       f"--config-file /run/docker2.json -H {SECOND} --data-root /var/lib/docker2 --exec-root /run/docker2 -p /run/docker2.pid "
       "--containerd /run/containerd/containerd.sock --containerd-namespace moby2 --containerd-plugins-namespace plugins.moby2")
    until(lambda: sh(f"docker -H {SECOND} info", expect=None)[0] == 0, 120, "the second daemon")
    sh(f"docker save box | docker -H {SECOND} load")


def running(host=""):
    """How many containers of the service run on a node."""
    return len(sh(f"docker {host} ps -q --filter name=web").split())


@check(DOCKER)
def swarm(docker):
    """A service is spread over two nodes, scaled, drained from one, and removed."""
    there = f"-H {SECOND}"
    try:
        network()
        second_daemon()
        docker("swarm init --advertise-addr 10.77.0.1 --listen-addr 10.77.0.1:2377")
        token = docker("swarm join-token -q worker").strip()
        docker(f"{there} swarm join --token {token} --advertise-addr 10.77.0.2 --listen-addr 10.77.0.2:2377 10.77.0.1:2377")
        docker("service create -d --name web --network host --replicas 4 --no-resolve-image --stop-grace-period 1s box sleep 1000")
        until(lambda: running() == 2 and running(there) == 2, 120, "two on each node")
        contains(docker("service ls"), "4/4")
        docker("service scale -d web=8")
        until(lambda: running() + running(there) == 8, 120, "eight")
        node = docker(f"{there} info -f '{{{{.Swarm.NodeID}}}}'").strip()
        docker(f"node update --availability drain {node}")
        until(lambda: running() == 8 and running(there) == 0, 120, "all on one node")
        docker("service rm web")
        until(lambda: running() == 0, 120, "none")
    finally:
        sh(f"docker {there} swarm leave -f; docker swarm leave -f; systemctl stop docker2; "
           "ip link del swarm0; ip netns del node2; true", expect=None, timeout=180)
