"""The modules of ministack that are patched or called, as Any: here what is known of their types ends.

ministack has no types, most of the names that we need are private, and `patches.py` puts others in their
place. `hooks.py` lists every such name and holds it and its parameters at every start. What `local` calls
while it runs has types in `stepfunctions/interpreter.py` and `apigateway/gateway.py`.
"""

from typing import Any

from ministack import app as _app
from ministack.core import iam_actions as _iam_actions
from ministack.core import iam_evaluator as _iam_evaluator
from ministack.core import lambda_runtime as _lambda_runtime
from ministack.core import router as _router
from ministack.services import apigateway_v1 as _apigateway_v1
from ministack.services import cloudwatch as _cloudwatch
from ministack.services import cloudwatch_logs as _cloudwatch_logs
from ministack.services import codebuild as _codebuild
from ministack.services import cognito as _cognito
from ministack.services import ecr as _ecr
from ministack.services import eventbridge as _eventbridge
from ministack.services import lambda_svc as _lambda_svc
from ministack.services import s3 as _s3
from ministack.services import sns as _sns
from ministack.services import sqs as _sqs
from ministack.services import stepfunctions as _stepfunctions
from ministack.services.cloudformation import changesets as _changesets
from ministack.services.cloudformation import engine as _engine
from ministack.services.cloudformation import handlers as _handlers
from ministack.services.cloudformation import provisioners as _provisioners
from ministack.services.cloudformation import stacks as _stacks

app: Any = _app
iam_actions: Any = _iam_actions
iam_evaluator: Any = _iam_evaluator
lambda_runtime: Any = _lambda_runtime
router: Any = _router
apigateway_v1: Any = _apigateway_v1
cloudwatch: Any = _cloudwatch
ecr: Any = _ecr
codebuild: Any = _codebuild
cognito: Any = _cognito
eventbridge: Any = _eventbridge
lambda_service: Any = _lambda_svc
logs: Any = _cloudwatch_logs
s3: Any = _s3
sns: Any = _sns
sqs: Any = _sqs
sfn: Any = _stepfunctions
changesets: Any = _changesets
engine: Any = _engine
handlers: Any = _handlers
provisioners: Any = _provisioners
stacks: Any = _stacks
