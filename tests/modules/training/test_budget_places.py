"""A budget says which keys of the network have no place in the network that it chooses."""

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.training.budget import candidates, keys_without_effect


def test_small_networks_have_no_place_for_depthwise_convolutions() -> None:
    for norm in ({"norm": "an", "norm_placement": "depthwise"}, {"norm": {"kind": "an", "placement": "depthwise"}}):
        given = NetworkConfig.model_validate({"variant": "auto", "image_size": 224, "mixed": True, **norm})
        found = {rung.name: keys_without_effect(given, rung.network) for rung in candidates(given)}
        small = ["mixed", "norm_placement"]
        assert found == {name: small if name in ("tiny", "small") else [] for name in found}
        assert len(found) > 4
    assert keys_without_effect(NetworkConfig(variant="auto", image_size=32), candidates(given)[0].network) == []
