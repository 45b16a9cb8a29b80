"""The other side: a ResNet50 handler as most SageMaker endpoints have one (eager torch and torchvision).

Lies in the model directory's `code/`; sagemaker-pytorch-inference calls these four functions.
"""

import io
import json
import os

import torch
from PIL import Image
from torchvision import models, transforms

TO_TENSOR = transforms.Compose(
    [
        transforms.Resize((224, 224)),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)


def model_fn(model_dir: str) -> torch.nn.Module:
    """ResNet50 with a head for 6 counts, its weights from `weights.pt`."""
    network = models.resnet50(weights=None, num_classes=6)
    network.load_state_dict(torch.load(os.path.join(model_dir, "weights.pt"), weights_only=True))
    return network.eval()


def input_fn(body: bytes, content_type: str) -> torch.Tensor:
    """Encoded image to float32 `[1, 3, 224, 224]`."""
    return TO_TENSOR(Image.open(io.BytesIO(body)).convert("RGB"))[None]


def predict_fn(image: torch.Tensor, network: torch.nn.Module) -> torch.Tensor:
    """Probabilities, float32 `[1, 6]`."""
    with torch.inference_mode():
        return torch.softmax(network(image), dim=1)


def output_fn(probabilities: torch.Tensor, accept: str) -> str:
    """The most probable count and all probabilities, as JSON."""
    return json.dumps({"count": int(probabilities.argmax()), "probabilities": probabilities[0].tolist()})
