"""The domain: its certificate, its DNS records, and the API behind it."""

import pulumi
import pulumi_aws as aws
from http_api import HttpApi
from stack_settings import StackSettings


def build_custom_domain(settings: StackSettings, gateway: HttpApi) -> None:
    """A regional domain with TLS 1.2 or newer, mapped to the API's `$default` stage."""
    zone = aws.route53.get_zone_output(name=settings.hosted_zone, private_zone=False)
    domain = aws.apigatewayv2.DomainName(
        "domain",
        domain_name=settings.domain,
        domain_name_configuration={
            "certificate_arn": _certificate(settings, zone.zone_id),
            "endpoint_type": "REGIONAL",
            "security_policy": "TLS_1_2",
            "ip_address_type": "dualstack",
        },
    )
    aws.apigatewayv2.ApiMapping(
        "domain", api_id=gateway.api.id, domain_name=domain.domain_name, stage=gateway.stage.name
    )
    target = domain.domain_name_configuration
    for kind in ("A", "AAAA"):
        aws.route53.Record(
            f"domain-{kind}",
            zone_id=zone.zone_id,
            name=settings.domain,
            type=kind,
            aliases=[
                {
                    "name": target.target_domain_name,
                    "zone_id": target.hosted_zone_id,
                    "evaluate_target_health": False,
                }
            ],
        )


def _certificate(settings: StackSettings, zone_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """The ARN of a certificate for the domain, once AWS has seen the record that proves whose it is."""
    certificate = aws.acm.Certificate(
        "domain",
        domain_name=settings.domain,
        validation_method="DNS",
    )
    wanted = certificate.domain_validation_options[0]
    record = aws.route53.Record(
        "domain-certificate",
        zone_id=zone_id,
        name=wanted.resource_record_name,
        type=wanted.resource_record_type,
        records=[wanted.resource_record_value],
        ttl=300,
        allow_overwrite=True,  # a second certificate for the same domain wants the same record
    )
    return aws.acm.CertificateValidation(
        "domain", certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn]
    ).certificate_arn
