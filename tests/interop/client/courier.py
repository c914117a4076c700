"""What is carried by hand (docs/wire.md, "By courier")."""

from zhibu.sync.v1 import answer_pb2, courier_pb2, sync_pb2

from . import connection, crypto
from .device import Device


def export(device: Device) -> bytes:
    """A parcel with what is unsent."""
    bundle = courier_pb2.Bundle(
        device=device.identity.number, incarnation=device.identity.incarnation,
        edits=[device.numbered(q) for q in device.held.pending if not q.delivered],
        cursors=device.held.cursors.values())
    sealed = crypto.seal("bundle", bundle.SerializeToString(), device.identity.key,
                         device.identity.courier_key)
    return courier_pb2.Parcel(
        form=b"zhibu bundles 1", sealed=[sealed], address=device.identity.address.encode(),
        fingerprint=device.identity.fingerprint.encode()).SerializeToString()


def receive(device: Device, parcel: bytes) -> "courier_pb2.Receipt":
    """The receipts that a courier has brought back."""
    told = courier_pb2.Parcel.FromString(parcel)
    assert told.form == b"zhibu receipts 1"
    for sealed in told.sealed:
        receipt = courier_pb2.Receipt.FromString(
            crypto.unseal("receipt", sealed, device.identity.key, device.identity.courier_key))
        if receipt.device != device.identity.number:
            continue
        if receipt.HasField("restored"):
            device.begin_incarnation(receipt.restored.incarnation)
        for answer in receipt.answers:
            for queued in list(device.held.pending):
                if (queued.number, crypto.link_to(queued.edit)) != (answer.number, answer.link):
                    continue
                if answer.verdict == answer_pb2.MERGED:
                    queued.delivered = True  # its effect comes with the next session
                else:
                    device.held.pending.remove(queued)
                    device.held.kept.append(queued)
                    device.put_aside(queued, answer)
    return receipt


def deliver(parcel: bytes) -> bytes:
    """What a courier does: anybody who reaches the server, with or without a device."""
    bundles = courier_pb2.Parcel.FromString(parcel)
    channel = connection.channel_to(bundles.address.decode(), bundles.fingerprint.decode())
    receipts = courier_pb2.Parcel(form=b"zhibu receipts 1")
    for sealed in bundles.sealed:
        reply = connection.call(channel, "Deliver", sync_pb2.DeliverRequest(bundle=sealed),
                                sync_pb2.DeliverReply)
        receipts.sealed.append(reply.receipt)
    return receipts.SerializeToString()
