"""CreateEndpoint, DescribeEndpoint, UpdateEndpoint, DeleteEndpoint, ListEndpoints."""

import contextlib
import logging
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.errors import validation_error
from embedded_cloud.hosting.capture import capture_of
from embedded_cloud.hosting.deployment import Deployment, DeploymentError, deploy
from embedded_cloud.hosting.model_server import ModelServer
from embedded_cloud.hosting.rollout import Fleets, alarms_of, ringing, roll_out, steps_of
from embedded_cloud.sagemaker.endpoint_configs import EndpointConfigs
from embedded_cloud.sagemaker.registry.models import Models, container_of
from embedded_cloud.sagemaker.store import HostingResources, Record
from embedded_cloud.settings import Settings

_LOG = logging.getLogger("embedded_cloud.endpoints")
_BUSY = ("Creating", "Updating", "SystemUpdating", "Deleting", "RollingBack")


class Endpoints(HostingResources):
    """Endpoints; an update is blue/green: the new server answers `/ping` before the old one is let go."""

    def __init__(self, *, settings: Settings, aws: Aws, models: Models, configs: EndpointConfigs) -> None:
        self._settings = settings
        self._aws = aws
        self._models = models
        self._configs = configs
        self._servers: dict[str, ModelServer] = {}
        self._rollouts: dict[str, Fleets[ModelServer]] = {}
        self._closed = False
        super().__init__(kind="Endpoint", words="endpoint", statuses=True)
        self.operations["UpdateEndpoint"] = self.update

    def create(self, request: dict[str, Any]) -> Record:
        """Starts an endpoint; it is `InService` or `Failed` some seconds later."""
        config = self._configs.store.get(request["EndpointConfigName"])
        record = self._new(request, EndpointStatus="Creating", _settled=threading.Event())
        self.store.add(request["EndpointName"], record)
        self._in_background(self._bring_up, record, config)
        return record

    def update(self, request: dict[str, Any]) -> Record:
        """Moves an endpoint that is not busy to another configuration."""
        config = self._configs.store.get(request["EndpointConfigName"])
        record = self.store.get(request["EndpointName"])
        self._refuse_busy(record)
        record["_settled"] = threading.Event()
        record.update(EndpointStatus="Updating", LastModifiedTime=time.time())
        record.pop("FailureReason", None)
        deployment = request.get("DeploymentConfig")
        if deployment:
            record["LastDeploymentConfig"] = deployment
        self._in_background(self._switch, record, config, deployment)
        return record

    def delete(self, request: dict[str, Any]) -> Record:
        """Takes an endpoint down; requests in flight are answered first."""
        record = self.store.get(request["EndpointName"])
        self._refuse_busy(record)
        self.store.remove(record["EndpointName"])
        server = self._servers.pop(record["EndpointName"], None)
        if server:
            if server.capture:  # before the answer: a bucket that is emptied next stays empty
                server.capture.close()
            self._in_background(server.drain_and_stop)
        return {}

    def wait(self, name: str) -> Record:
        """Waits until the endpoint is neither creating nor updating; returns its record."""
        record = self.store.get(name)
        record["_settled"].wait()
        return record

    def server(self, name: str) -> ModelServer | None:
        """The server for one request to an endpoint, or None while there is none."""
        fleets = self._rollouts.get(name)
        return fleets.pick() if fleets else self._servers.get(name)

    def variants(self) -> Iterator[tuple[str, str, int]]:
        """Name, variant and number of instances of every endpoint that serves."""
        for record in list(self.store.all()):
            for variant in (
                record.get("ProductionVariants", []) if self.server(record["EndpointName"]) else ()
            ):
                yield record["EndpointName"], variant["VariantName"], variant["CurrentInstanceCount"]

    def close(self) -> None:
        """Ends every server at once."""
        self._closed = True
        for server in [*self._servers.values(), *(fleets.green for fleets in self._rollouts.values())]:
            server.stop(grace=2.0)

    def _bring_up(self, record: Record, config: Record) -> None:
        with _ending(record):
            try:
                self._servers[record["EndpointName"]] = self._deploy(record, config)
            except DeploymentError as error:
                record.update(EndpointStatus="Failed", FailureReason=str(error)[:1024])
            else:
                self._in_service(record, config)

    def _switch(self, record: Record, config: Record, deployment: dict[str, Any] | None) -> None:
        """Blue/green: what fails leaves the old server in service under the OLD configuration's name."""
        with _ending(record):
            try:
                green = self._deploy(record, config)
            except DeploymentError as error:
                old = "InService" if record["EndpointName"] in self._servers else "Failed"
                record.update(EndpointStatus=old, FailureReason=str(error)[:1024])
            else:
                self._exchange(record, config, deployment, green)

    def _exchange(
        self, record: Record, config: Record, deployment: dict[str, Any] | None, green: ModelServer
    ) -> None:
        """One of the two servers stays and serves; the other one ends, whatever happens."""
        name = record["EndpointName"]
        blue = self._servers.get(name)
        try:
            reason = self._roll_out(record, config, deployment, blue, green) if blue else None
            if reason:
                record.update(EndpointStatus="InService", FailureReason=reason[:1024])
            else:
                self._servers[name] = green
                self._in_service(record, config)
        finally:
            self._rollouts.pop(name, None)
            ended = blue if self._servers.get(name) is green else green
            if ended:
                self._in_background(ended.drain_and_stop)

    def _roll_out(
        self,
        record: Record,
        config: Record,
        deployment: dict[str, Any] | None,
        blue: ModelServer,
        green: ModelServer,
    ) -> str | None:
        """Moves the traffic and watches the alarms with the model's role; why it went back, or None.

        The role needs cloudwatch:DescribeAlarms (AWS: "Auto-Rollback Configuration and Monitoring").
        Raises ClientError without it.
        """
        variant = config["ProductionVariants"][0]
        role = self._models.store.get(variant["ModelName"]).get("ExecutionRoleArn")
        cloudwatch, names = self._aws.client("cloudwatch", role=role), alarms_of(deployment)
        fleets = self._rollouts[record["EndpointName"]] = Fleets(blue=blue, green=green)
        reason = roll_out(
            fleets,
            steps_of(deployment, instances=variant.get("InitialInstanceCount", 1)),
            looks_bad=lambda: "The embedded cloud ends" if self._closed else ringing(cloudwatch, names),
            longest_seconds=self._settings.longest_bake_seconds,
        )
        if reason:
            _LOG.warning("%s: %s", record["EndpointName"], reason)
            record["EndpointStatus"] = "RollingBack"
        return reason

    def _deploy(self, record: Record, config: Record) -> ModelServer:
        variant = config["ProductionVariants"][0]
        model = self._models.store.get(variant["ModelName"])
        container = container_of(model)
        server = deploy(
            Deployment(
                name=record["EndpointName"],
                variant=variant["VariantName"],
                log_group=f"/aws/sagemaker/Endpoints/{record['EndpointName']}",
                log_stream=variant["VariantName"],
                image=container.get("Image", ""),
                model_data_url=container.get("ModelDataUrl"),
                environment=container.get("Environment", {}),
                role=model.get("ExecutionRoleArn"),
            ),
            settings=self._settings,
            aws=self._aws,
        )
        if self._closed:
            server.stop(grace=2.0)
            raise DeploymentError("The embedded cloud is shutting down.")
        s3 = self._aws.client("s3", role=model.get("ExecutionRoleArn"))
        server.capture = capture_of(config, endpoint=record["EndpointName"], s3=s3)
        return server

    def _in_service(self, record: Record, config: Record) -> None:
        variant = config["ProductionVariants"][0]
        image = container_of(self._models.store.get(variant["ModelName"])).get("Image")
        count, weight = variant.get("InitialInstanceCount", 1), variant.get("InitialVariantWeight", 1.0)
        record.update(
            EndpointStatus="InService",
            EndpointConfigName=config["EndpointConfigName"],
            DataCaptureConfig=_capture_summary(config),
            ProductionVariants=[
                {
                    "VariantName": variant["VariantName"],
                    "DeployedImages": [
                        {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": time.time()}
                    ],
                    "CurrentWeight": weight,
                    "DesiredWeight": weight,
                    "CurrentInstanceCount": count,
                    "DesiredInstanceCount": count,
                }
            ],
        )

    def _refuse_busy(self, record: Record) -> None:
        if record["EndpointStatus"] in _BUSY:
            raise validation_error(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')

    def _in_background(self, work: Any, *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, name=f"endpoint-{work.__name__}", daemon=True).start()


@contextlib.contextmanager
def _ending(record: Record) -> Generator[None]:
    """At the end of a change of an endpoint nobody waits on, also where it ended by an error: then Failed."""
    try:
        yield
    except Exception as error:
        _LOG.exception("%s", record["EndpointName"])
        record.update(EndpointStatus="Failed", FailureReason=(str(error) or repr(error))[:1024])
    finally:
        record["LastModifiedTime"] = time.time()
        record["_settled"].set()


def _capture_summary(config: Record) -> dict[str, Any] | None:
    capture = config.get("DataCaptureConfig")
    if not capture:
        return None
    enabled = capture.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
