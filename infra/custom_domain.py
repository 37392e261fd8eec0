"""The custom domain: its certificate, its DNS records, and its mapping to the HTTP API."""

import pulumi
import pulumi_aws as aws
from http_api import HttpApi
from stack_settings import StackSettings


def build_custom_domain(settings: StackSettings, http_api: HttpApi) -> None:
    """Create a regional custom domain with TLS 1.2 or newer, and map it to the API's `$default` stage."""
    zone = aws.route53.get_zone_output(name=settings.hosted_zone, private_zone=False)
    domain = aws.apigatewayv2.DomainName(
        "domain",
        domain_name=settings.domain,
        domain_name_configuration={
            "certificate_arn": _validated_certificate(settings, zone.zone_id),
            "endpoint_type": "REGIONAL",
            "security_policy": "TLS_1_2",
            "ip_address_type": "dualstack",
        },
    )
    aws.apigatewayv2.ApiMapping(
        "domain", api_id=http_api.api.id, domain_name=domain.domain_name, stage=http_api.stage.name
    )
    alias_target = domain.domain_name_configuration
    for record_type in ("A", "AAAA"):
        aws.route53.Record(
            f"domain-{record_type}",
            zone_id=zone.zone_id,
            name=settings.domain,
            type=record_type,
            aliases=[
                {
                    "name": alias_target.target_domain_name,
                    "zone_id": alias_target.hosted_zone_id,
                    "evaluate_target_health": False,
                }
            ],
        )


def _validated_certificate(settings: StackSettings, zone_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return the ARN of the domain's certificate, which is available after AWS has validated it through DNS."""
    certificate = aws.acm.Certificate(
        "domain",
        domain_name=settings.domain,
        validation_method="DNS",
    )
    validation = certificate.domain_validation_options[0]
    record = aws.route53.Record(
        "domain-certificate",
        zone_id=zone_id,
        name=validation.resource_record_name,
        type=validation.resource_record_type,
        records=[validation.resource_record_value],
        ttl=300,
        allow_overwrite=True,  # a second certificate for the same domain needs the same record
    )
    return aws.acm.CertificateValidation(
        "domain", certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn]
    ).certificate_arn
