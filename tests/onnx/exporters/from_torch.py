"""Networks through torch's two exporters: the one that traces (TorchScript), the one that captures (dynamo)."""
import torch

import torch_side
from case import Case

DEBIAN, SCRIPT, DYNAMO = (9, 11, 13, 16), (13, 17), (18, 20, 21, 23)
TORCHVISION = ("resnet18", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5", "densenet121", "googlenet", "efficientnet_b0",
               "regnet_x_400mf", "convnext_tiny", "swin_t", "maxvit_t", "vision transformer of two blocks")


def export_case(folder, name, module, side, opset, dynamo, form="", **more):
    """-> Case, or None if the exporter cannot write it, which is not ours"""
    module = torch_side.seeded(module)
    x = torch.randn(1, 3, side, side).numpy()
    path = folder / f"{name.replace(' ', '_').replace(',', '')}{form.replace(' ', '_')}_{opset}.onnx"
    kind = "dynamo" if dynamo else "TorchScript"
    try:
        torch_side.export(module, x, path, opset, dynamo, **more)
    except Exception as error:
        print(f"# {name}, {kind}{form}, opset {opset}: not exported: {str(error).strip().splitlines()[0][:120]}", flush=True)
        return None
    return Case(name, f"torch {torch_side.VERSION}, {kind}{form}", opset, path, x, torch_side.gradient(module, x),
                torch_side.along(module, x), torch_side.single(module, x))


def networks():
    """name, maker of the network, side"""
    for name, _ in torch_side.small_networks():
        yield name, lambda name=name: dict(torch_side.small_networks())[name], 64
    try:
        import torchvision
    except ImportError:
        return
    for name in TORCHVISION:
        if hasattr(torchvision.models, name) or " " in name:
            yield name, lambda name=name: next(torch_side.torchvision_networks([name]))[1], 224


def cases(folder, wanted, opsets, dynamo):
    for name, make, side in networks():
        if not wanted(name):
            continue
        for opset in opsets if side == 64 or not dynamo else opsets[:2]:
            yield export_case(folder, name, make(), side, opset, dynamo)


def debian(folder, wanted):
    """Debian's torch, with modules as functions of their own, too."""
    yield from cases(folder, wanted, DEBIAN, False)
    for name, make, side in networks():
        if side == 64 and wanted(name):
            yield export_case(folder, name, make(), side, 16, False, ", modules as functions", export_modules_as_functions=True)


def torchscript(folder, wanted):
    yield from cases(folder, wanted, SCRIPT, False)


def dynamo(folder, wanted):
    """Also as the exporter leaves them without its optimiser, with functions; and with an open batch."""
    yield from cases(folder, wanted, DYNAMO, True)
    for name, make, side in networks():
        if side == 64 and wanted(name):
            yield export_case(folder, name, make(), side, 18, True, ", not optimised", optimize=False)
            yield export_case(folder, name, make(), side, 18, True, ", open batch",
                              dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},))


def timm(folder, wanted):
    import timm as library
    for name in TIMM:
        if not wanted(name):
            continue
        torch.manual_seed(0)
        try:
            module = library.create_model(name, pretrained=False, num_classes=20, exportable=True)
        except RuntimeError as error:
            print(f"# timm has no {name}: {error}", flush=True)
            continue
        case = export_case(folder, name, module, module.default_cfg["input_size"][1], 18, True)
        if case:
            case.exporter = f"timm {library.__version__}, {case.exporter}"
        yield case


TIMM = """resnet26 resnet18d resnext26ts seresnet18 skresnet18 resnest14d wide_resnet50_2 regnetx_004 regnety_004 efficientnet_b0
tf_efficientnet_lite0 tf_efficientnetv2_b0 mobilenetv3_small_100 mobilenetv4_conv_small mobilenetv4_hybrid_medium mobileone_s0 mnasnet_100
tinynet_e lcnet_050 fbnetc_100 rexnet_100 ghostnet_050 ghostnetv2_100 hardcorenas_a hgnetv2_b0 convnext_atto convnextv2_atto inception_next_atto
nfnet_l0 repvgg_a0 repvit_m0_9 repghostnet_050 dla34 hrnet_w18_small densenet121 vgg11_bn inception_v3 inception_v4 xception41 nasnetalarge
pnasnet5large dpn48b cspresnet50 cspdarknet53 ese_vovnet19b_dw selecsls42b tresnet_m starnet_s1 vit_tiny_patch16_224 vit_small_patch16_dinov3
vit_base_patch16_siglip_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224 beit_base_patch16_224 beitv2_base_patch16_224
eva02_tiny_patch14_224 cait_xxs24_224 convit_tiny crossvit_tiny_240 swin_tiny_patch4_window7_224 swinv2_tiny_window8_256
swinv2_cr_tiny_ns_224 twins_pcpvt_small twins_svt_small pvt_v2_b0 pit_ti_224 nest_tiny coat_tiny coatnet_nano_rw_224 coatnext_nano_rw_224
maxvit_pico_rw_256 maxxvit_rmlp_nano_rw_256 xcit_nano_12_p16_224 volo_d1_224 davit_tiny focalnet_tiny_srf gcvit_xxtiny mvitv2_tiny hiera_tiny_224
tiny_vit_5m_224 levit_128s visformer_tiny edgenext_xx_small fastvit_t8 mobilevit_xxs mobilevitv2_050 efficientvit_b0 efficientvit_m0
efficientformer_l1 efficientformerv2_s0 poolformer_s12 caformer_s18 mixer_s32_224 gmlp_s16_224 resmlp_12_224 sequencer2d_s mambaout_femto
halonet26t lambda_resnet26t botnet26t_256 eca_halonext26ts sebotnet33ts_256 bat_resnext26ts rdnet_tiny""".split()
