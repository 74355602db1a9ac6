"""Cut the end of a network out of its ONNX file."""

from __future__ import annotations


def cut_after(data: bytes, tensor: str, output: str) -> bytes:
    """The part of an ONNX file that leads from one of its tensors to an output.

    Args:
        data: The file.
        tensor: Name of a float32 tensor ``[N, D]`` inside it, the input of what is returned.
        output: Name of one of its outputs.

    Returns:
        An ONNX file with the nodes and numbers of the given one.

    Raises:
        ValueError: If the output does not follow from this tensor alone.
    """
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_model_from_string(data)
    makers = {name: node for node in model.graph.node for name in node.output}
    tensors = {one.name: one for one in model.graph.initializer}
    wanted, seen = [output], {tensor}
    nodes: list[onnx.NodeProto] = []
    kept: list[onnx.TensorProto] = []
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in tensors:
            kept.append(tensors[name])
        elif name in makers:
            nodes.append(makers[name])
            wanted.extend(makers[name].input)
        else:
            raise ValueError(f"{output!r} does not follow from {tensor!r} alone")
    place = {node.name: number for number, node in enumerate(model.graph.node)}
    outputs = [one for one in model.graph.output if one.name == output]
    if not outputs:
        raise ValueError(f"there is no output {output!r}")
    graph = helper.make_graph(
        sorted(nodes, key=lambda node: place[node.name]),
        "head",
        [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, ["N", None])],
        outputs,
        kept,
    )
    part = helper.make_model(
        graph, opset_imports=list(model.opset_import), ir_version=model.ir_version
    )
    return bytes(part.SerializeToString(deterministic=True))
